"""The guard below all senders: where sockets are made, and the proof that a testbed is closed."""
