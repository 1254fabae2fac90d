"""A server on every address of the world that answers each request with bytes of its own: `… PORT SIZE [reset]`.

It sends SIZE bytes that are not DICOM at once, and closes; with `reset` the connection is reset after them. With SIZE 0 it says
nothing, and keeps the connection for MUTE_SECONDS.
"""

import socket
import struct
import sys
import threading
import time

#: How long a mute server keeps a connection, in seconds: longer than a sweep of a test.
MUTE_SECONDS = 120.0


def serve(peer: socket.socket, size: int, *, reset: bool) -> None:
    """Take a request, answer and close."""
    with peer:
        peer.settimeout(10)
        try:
            peer.recv(65535)
            if not size:
                time.sleep(MUTE_SECONDS)
                return
            peer.sendall(b"HTTP/1.0 400 ".ljust(size, b"x"))
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                peer.recv(65535)
        except OSError:
            return


def main() -> None:
    """Serve until killed."""
    port, size, reset = int(sys.argv[1]), int(sys.argv[2]), "reset" in sys.argv[3:]
    listening = socket.create_server(("0.0.0.0", port), backlog=4096)
    print("up", flush=True)
    while True:
        peer, _ = listening.accept()
        threading.Thread(target=serve, args=(peer, size), kwargs={"reset": reset}, daemon=True).start()


if __name__ == "__main__":
    main()
