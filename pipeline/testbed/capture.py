"""Write every packet of an interface to a pcap file: `python -m pipeline.testbed.capture INTERFACE FILE`, until SIGINT.

tcpdump changes its groups at its start, which a user namespace does not allow; this does the same work for every user.
The file is in the classic format (draft-ietf-opsawg-pcap), in the machine's byte order.
"""

import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 263, 6, 33
#: Room for packets that wait; root gets it, an ordinary user as much of it as net.core.rmem_max allows.
BUFFER = 256 << 20
LONGEST = 65535
#: Magic number, version 2.4, time zone, accuracy, longest packet, link type Ethernet.
FILE_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, LONGEST, 1)


def capture(interface: str, path: Path) -> str:
    """Capture until SIGINT; tell how many packets were written and how many the kernel dropped."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock, path.open("wb", buffering=1 << 20) as file:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with suppress(PermissionError):
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.bind((interface, ETH_P_ALL))
        file.write(FILE_HEADER)
        print(f"listening on {interface}", file=sys.stderr, flush=True)
        written = _copy(sock, file)
        dropped = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
    return f"{written} packets captured, {dropped} packets dropped by kernel"


def _copy(sock: socket.socket, file: BinaryIO) -> int:
    """Copy packets until SIGINT, and then what still waits."""
    written = 0
    try:
        while True:
            written += _write(sock.recv(LONGEST), file)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sock.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            written += _write(sock.recv(LONGEST), file)
    return written


def _write(packet: bytes, file: BinaryIO) -> int:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    file.write(struct.pack("=IIII", seconds, nanoseconds // 1000, len(packet), len(packet)) + packet)
    return 1


if __name__ == "__main__":
    print(capture(sys.argv[1], Path(sys.argv[2])), file=sys.stderr)
