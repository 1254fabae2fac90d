"""Drive one conversation over kernel TCP with asyncio: the edge where bytes leave and OS errors become outcomes."""

import asyncio
import errno
import ipaddress
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

from pipeline.associate.conversation import Conversation
from pipeline.errors import CensusError, GuardError
from pipeline.outcome import Outcome
from pipeline.record import Visit
from pipeline.wire.outgoing import Outgoing

#: A whole answer is some 200 bytes; the conversation bounds what is kept of a longer one.
READ_SIZE = 4096
#: One repetition of the SYN, after 1 s: more would not be answered before our deadline.
SYN_COUNT = 1
#: Offsets of u32 fields in Linux's `struct tcp_info` (include/uapi/linux/tcp.h).
UNACKED, TOTAL_RETRANS, NOTSENT_BYTES = 24, 100, 144
TCP_INFO_SIZE = 148
#: The peer answered our SYN with a RST.
REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET})
#: A router, or nobody, answered our SYN.
UNREACHABLE = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ECONNABORTED}
)


async def visit(
    open_socket: Callable[[str], socket.socket], outgoing: Outgoing, *, echo: bool, ip: int, port: int
) -> Visit:
    """Hold one conversation with a target, over the socket that the guard opens for its address."""
    address = str(ipaddress.IPv4Address(ip))
    with open_socket(address) as sock:
        return await _Line(sock, outgoing, echo=echo, ip=ip, port=port).hold(address, port)


class _Line:
    """A socket and the conversation held over it."""

    def __init__(self, sock: socket.socket, outgoing: Outgoing, *, echo: bool, ip: int, port: int) -> None:
        self._sock = sock
        self._outgoing = outgoing
        self._began_ns = time.monotonic_ns()
        self._talk = Conversation(outgoing, echo=echo, ip=ip, port=port, started_at_us=time.time_ns() // 1000)

    async def hold(self, address: str, port: int) -> Visit:
        """Connect, talk until the conversation is finished, and give its facts."""
        self._prepare()
        connected = await self._connect(address, port)
        retransmits = _tcp_info(self._sock, TOTAL_RETRANS)
        if connected:
            reply = self._talk.connected(self._now())
            _acknowledge_at_once(self._sock)
            await self._converse(reply)
        return replace(self._talk.visit(), syn_retransmits=retransmits)

    def _now(self) -> int:
        """Microseconds since the visit began."""
        return (time.monotonic_ns() - self._began_ns) // 1000

    def _left(self) -> float:
        """Seconds until the conversation's deadline."""
        return max(0.0, (self._talk.next_deadline_us - self._now()) / 1e6)

    def _prepare(self) -> None:
        """Set what has to stand before the SYN."""
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_COUNT)

    async def _connect(self, address: str, port: int) -> bool:
        """Open the transport connection, or tell the conversation why there is none."""
        try:
            async with asyncio.timeout(self._left()):
                await asyncio.get_running_loop().sock_connect(self._sock, (address, port))
        except TimeoutError as error:
            # The kernel's own ETIMEDOUT is a TimeoutError, too; either way nobody answered.
            self._talk.deadline(self._now()) if error.errno is None else self._talk.connect_failed(self._now())
        except OSError as error:
            self._failed(error)
        return not self._talk.finished

    def _failed(self, error: OSError) -> None:
        """Translate why a connection failed; what is no fact about the peer stops the program."""
        if error.errno not in REFUSED | UNREACHABLE:
            raise CensusError(f"cannot connect: {error}") from error
        self._talk.connect_failed(self._now(), refused=error.errno in REFUSED)

    async def _converse(self, reply: bytes) -> None:
        """Send, read and tell, until the conversation is finished."""
        unbroken = await self._send(reply)
        while not self._talk.finished:
            reply = await self._hear(unbroken)
            unbroken = await self._send(reply) and unbroken

    async def _hear(self, unbroken: bool) -> bytes:
        """Read once and give what the conversation wants to say to it."""
        try:
            async with asyncio.timeout(self._left()):
                data = await asyncio.get_running_loop().sock_recv(self._sock, READ_SIZE)
        except TimeoutError:
            return self._talk.deadline(self._now(), nothing=_why_nothing(self._sock))
        except OSError:
            return self._talk.peer_reset(self._now())
        if data:
            _acknowledge_at_once(self._sock)
            return self._talk.received(data, self._now())
        # After a failed send the kernel has already told of the RST, and says "end of file" from then on.
        return self._talk.peer_closed(self._now()) if unbroken else self._talk.peer_reset(self._now())

    async def _send(self, data: bytes) -> bool:
        """Send one template, the only place where bytes leave; False when the peer has reset the connection."""
        if not data:
            return True
        if not self._outgoing.allows(data):
            raise GuardError(f"{len(data)} bytes that are none of the sweep's templates were about to leave")
        try:
            async with asyncio.timeout(self._left()):
                await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except TimeoutError:
            self._talk.deadline(self._now(), nothing=_why_nothing(self._sock))
        except OSError:
            return False
        return True


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Delay no acknowledgement: Nagle's algorithm at the peer would wait for it. The kernel forgets this soon."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except OSError:
        return  # the peer reset the connection meanwhile: the next read says so


def _why_nothing(sock: socket.socket) -> Outcome:
    """Tell from the kernel's books why a peer did not answer."""
    if _tcp_info(sock, NOTSENT_BYTES):
        return Outcome.ZERO_WINDOW
    return Outcome.UNACKNOWLEDGED if _tcp_info(sock, UNACKED) else Outcome.SILENT


def _tcp_info(sock: socket.socket, offset: int) -> int:
    """Read a u32 of `struct tcp_info`; an older kernel's shorter structure gives 0."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    return int(struct.unpack_from("=I", info, offset)[0]) if len(info) >= offset + 4 else 0
