"""Write every packet of an interface to a pcap file: `python -m pipeline.testbed.capture INTERFACE FILE`, until SIGINT.

tcpdump changes its groups when it starts, which a user namespace does not allow; this works for every user.
"""

import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.rings.pcap import ETHERNET, LONGEST, Capture

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 263, 6, 33
#: Receive buffer in bytes; root gets all of it, an ordinary user as much as net.core.rmem_max allows.
BUFFER = 256 << 20


def capture(interface: str, path: Path) -> str:
    """Capture until SIGINT; return how many packets were written and how many the kernel dropped."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock, Capture(path, ETHERNET) as file:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with suppress(PermissionError):
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.bind((interface, ETH_P_ALL))
        print(f"listening on {interface}", file=sys.stderr, flush=True)
        _copy(sock, file)
        dropped = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    return f"{file.written} packets captured, {dropped} packets dropped by kernel"


def _copy(sock: socket.socket, file: Capture) -> None:
    """Copy packets until SIGINT, then those that are still queued."""
    try:
        while True:
            file.add([sock.recv(LONGEST)])
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sock.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            file.add([sock.recv(LONGEST)])


if __name__ == "__main__":
    print(capture(sys.argv[1], Path(sys.argv[2])), file=sys.stderr)
