"""What the kernel knows of a TCP connection."""

import socket
import struct
from typing import NamedTuple

from pipeline.outcome import Outcome

#: The u32 fields of Linux's `struct tcp_info` that are read (include/uapi/linux/tcp.h), at their offsets.
TCP_INFO = struct.Struct("=24xI 40xI 28xI 40xI")

TCP_SYN_SENT = 2  # include/net/tcp_states.h; the state is the first byte


class Books(NamedTuple):
    """The kernel's books of a connection."""

    unacked: int
    rtt: int
    total_retrans: int
    notsent_bytes: int

    @classmethod
    def of(cls, sock: socket.socket) -> "Books":
        """Read them; an older kernel's shorter structure gives zeros for what it lacks."""
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        return cls(*TCP_INFO.unpack(info.ljust(TCP_INFO.size, b"\0")))

    @staticmethod
    def unanswered(sock: socket.socket) -> bool:
        """Whether a SYN of ours has no answer yet."""
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_SYN_SENT

    def why_nothing(self) -> Outcome:
        """Tell why a peer did not answer."""
        if self.notsent_bytes:
            return Outcome.ZERO_WINDOW
        return Outcome.UNACKNOWLEDGED if self.unacked else Outcome.SILENT
