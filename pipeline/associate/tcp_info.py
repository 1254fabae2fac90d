"""The kernel's state of a TCP connection (`struct tcp_info`)."""

import socket
import struct
from typing import NamedTuple

from pipeline.outcome import Outcome

#: The u32 fields that are read from Linux's `struct tcp_info` (include/uapi/linux/tcp.h), at their offsets.
TCP_INFO = struct.Struct("=24xI 40xI 28xI 40xI")

TCP_SYN_SENT = 2  # include/net/tcp_states.h; the state is the first byte


class TcpInfo(NamedTuple):
    """The fields of `struct tcp_info` that we use: segments unacknowledged, RTT in µs, retransmissions, bytes not sent."""

    unacked: int
    rtt: int
    total_retrans: int
    notsent_bytes: int

    @classmethod
    def of(cls, sock: socket.socket) -> "TcpInfo":
        """Read a socket's fields; those that an older kernel lacks are 0."""
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        return cls(*TCP_INFO.unpack(info.ljust(TCP_INFO.size, b"\0")))

    @staticmethod
    def is_connecting(sock: socket.socket) -> bool:
        """Whether our SYN has no answer yet."""
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_SYN_SENT

    def silence_outcome(self) -> Outcome:
        """The outcome of a visit whose peer sent no byte."""
        if self.notsent_bytes:
            return Outcome.ZERO_WINDOW
        return Outcome.UNACKNOWLEDGED if self.unacked else Outcome.SILENT
