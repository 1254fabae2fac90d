"""ZeroMQ sockets between the processes of a worker. Messages are msgspec structs, rows travel as Arrow IPC; no pickle."""
