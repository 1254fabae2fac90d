"""Drive conversations over kernel TCP with asyncio: the edge where bytes leave and OS errors become outcomes.

A conversation is a few callbacks of the event loop, not a task: no coroutine waits while a peer is silent, so that a
process holds ten thousand of them, and what a visit costs is mostly the kernel's.
"""

import asyncio
import errno
import ipaddress
import socket
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

from pipeline.associate import tls
from pipeline.associate.conversation import WHOLE_US, Conversation
from pipeline.errors import CensusError
from pipeline.outcome import Outcome
from pipeline.record import Visit
from pipeline.wire.outgoing import Outgoing

#: A whole answer is some 200 bytes; the conversation bounds what is kept of a longer one.
READ_SIZE = 4096
#: One repetition of the SYN, after 1 s: more would not be answered before our deadline.
SYN_COUNT = 1
#: The u32 fields of Linux's `struct tcp_info` that are read (include/uapi/linux/tcp.h), at their offsets.
TCP_INFO = struct.Struct("=24xI 40xI 28xI 40xI")
#: The kernel has begun to connect, and will say when it is done.
BEGUN = frozenset({0, errno.EINPROGRESS})
#: The peer answered our SYN with a RST.
REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET})
#: A router, or nobody, answered our SYN.
UNREACHABLE = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ECONNABORTED}
)


class Books(NamedTuple):
    """What the kernel knows of a connection."""

    unacked: int
    rtt: int
    total_retrans: int
    notsent_bytes: int

    @classmethod
    def of(cls, sock: socket.socket) -> "Books":
        """Read them; an older kernel's shorter structure gives zeros for what it lacks."""
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        return cls(*TCP_INFO.unpack(info.ljust(TCP_INFO.size, b"\0")))


async def visit(
    open_socket: Callable[[str], socket.socket],
    outgoing: Outgoing,
    *,
    echo: bool,
    ip: int,
    port: int,
    secured: bool = False,
) -> Visit:
    """Hold one conversation with a target, over the socket that the guard opens for its address.

    A secured one goes through TLS: nothing leaves for the target but what OpenSSL sealed.

    Raises GuardError if the guard refuses or other bytes than the templates were about to leave, and CensusError for
    trouble of our own; what the peer does never raises.
    """
    address = str(ipaddress.IPv4Address(ip))
    whole_us = tls.WHOLE_TLS_US if secured else WHOLE_US
    talk = Conversation(outgoing, echo=echo, ip=ip, port=port, started_at_us=time.time_ns() // 1000, whole_us=whole_us)
    with open_socket(address) as sock:
        if secured:
            return await _Line(sock, tls.Secured(talk, outgoing), tls.cleared).hold(address, port)
        return await _Line(sock, talk, outgoing.cleared).hold(address, port)


class _Line:
    """A socket and the conversation held over it; every method that begins with `_on` is called by the event loop."""

    def __init__(
        self, sock: socket.socket, talk: Conversation | tls.Secured, cleared: Callable[[bytes], bytes]
    ) -> None:
        self._sock = sock
        self._talk = talk
        self._cleared = cleared
        self._loop = asyncio.get_running_loop()
        self._began = time.monotonic_ns()
        self._done: asyncio.Future[Visit] = self._loop.create_future()
        self._due_us = talk.next_deadline_us
        self._timer = self._loop.call_later(self._left(), self._on_time)
        self._unsent = b""
        self._broken = False  # a send told of a RST; the kernel says "end of file" from then on
        self._retransmits = 0
        self._sent = 0
        self._error: str | None = None
        self._books: Books | None = None  # as they were when our patience ended

    async def hold(self, address: str, port: int) -> Visit:
        """Connect, talk until the conversation is finished, and give its facts."""
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_COUNT)
        try:
            self._begin(address, port)
            return await self._done
        finally:
            self._timer.cancel()
            self._deaf()

    def _begin(self, address: str, port: int) -> None:
        error = self._sock.connect_ex((address, port))
        if error in BEGUN:
            self._loop.add_writer(self._sock, self._guarded, self._on_connected)
        else:
            self._guarded(self._failed, error)

    def _now(self) -> int:
        """Microseconds since the visit began."""
        return (time.monotonic_ns() - self._began) // 1000

    def _left(self) -> float:
        """Seconds until the conversation's deadline."""
        return max(0.0, (self._talk.next_deadline_us - self._now()) / 1e6)

    def _guarded(self, step: Callable[..., None], *values: int) -> None:
        """Take a step; what it raises goes to who waits for the visit, and the visit ends with the conversation."""
        try:
            step(*values)
        except Exception as error:
            self._deaf()
            if not self._done.done():
                self._done.set_exception(error)
            return
        if self._talk.finished and not self._done.done():
            self._deaf()
            self._done.set_result(self._talk.visit(**self._facts()))
        elif self._talk.next_deadline_us < self._due_us:
            self._await_deadline()

    def _facts(self) -> dict[str, object]:
        """What the socket knows and the conversation does not."""
        return {
            "syn_retransmits": self._retransmits,
            "bytes_sent": self._sent,
            "error": self._error,
            "rtt_us": (self._books or Books.of(self._sock)).rtt or None,
        }

    def _deaf(self) -> None:
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)

    def _on_connected(self) -> None:
        """Learn how connecting went; if well, send the request at once."""
        self._loop.remove_writer(self._sock)
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._failed(error)
            return
        self._retransmits = Books.of(self._sock).total_retrans
        self._loop.add_reader(self._sock, self._guarded, self._on_readable)
        self._say(self._talk.connected(self._now()))

    def _failed(self, error: int) -> None:
        """Translate why a connection failed; what is no fact about the peer stops the program."""
        if error not in REFUSED | UNREACHABLE:
            raise CensusError(f"cannot connect: {errno.errorcode.get(error, error)}")
        self._retransmits = Books.of(self._sock).total_retrans
        self._error = errno.errorcode.get(error)
        self._talk.connect_failed(self._now(), refused=error in REFUSED)

    def _on_readable(self) -> None:
        """Read once, and say what the conversation wants to say to it."""
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._error = errno.errorcode.get(error.errno or 0)
            self._say(self._talk.peer_reset(self._now()))
            return
        if data:
            _acknowledge_at_once(self._sock)
            self._say(self._talk.received(data, self._now()))
        else:
            self._say((self._talk.peer_reset if self._broken else self._talk.peer_closed)(self._now()))

    def _on_time(self) -> None:
        """Tell the conversation that its time is over, or wait on if it has been given more meanwhile."""
        if not self._done.done() and not self._left():
            self._guarded(self._expire)
        if not self._done.done():
            self._await_deadline()

    def _await_deadline(self) -> None:
        """Set the timer; one that is set for too late a time, as TLS may have it, is set anew."""
        self._due_us = self._talk.next_deadline_us
        self._timer.cancel()
        self._timer = self._loop.call_later(self._left(), self._on_time)

    def _expire(self) -> None:
        self._books = Books.of(self._sock)
        self._retransmits = self._retransmits or self._books.total_retrans
        self._say(self._talk.deadline(self._now(), nothing=_why_nothing(self._books)))

    def _say(self, data: bytes) -> None:
        """Send one template, or what is sealed of one, through the gate: the only place where this driver's bytes leave."""
        if data:
            self._unsent += self._cleared(data)
            self._on_writable()

    def _on_writable(self) -> None:
        """Send what is left of a template; a closed window takes it later."""
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._broken, self._unsent, sent = True, b"", 0
            self._error = errno.errorcode.get(error.errno or 0)
        self._sent += sent
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._sock, self._guarded, self._on_writable)
        else:
            self._loop.remove_writer(self._sock)


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Delay no acknowledgement: Nagle's algorithm at the peer would wait for it. The kernel forgets this soon."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except OSError:
        return  # the peer reset the connection meanwhile: the next read says so


def _why_nothing(books: Books) -> Outcome:
    """Tell from the kernel's books why a peer did not answer."""
    if books.notsent_bytes:
        return Outcome.ZERO_WINDOW
    return Outcome.UNACKNOWLEDGED if books.unacked else Outcome.SILENT
