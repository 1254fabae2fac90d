"""Drive conversations over kernel TCP with asyncio: the edge where bytes leave and OS errors become outcomes.

A conversation is a few calls by the poller, not a task: no coroutine waits while a peer is silent, so that a process
holds ten thousand of them, and what a visit costs is mostly the kernel's.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT
from typing import Any

from pipeline.associate import tls
from pipeline.associate.conversation import WHOLE_US, Conversation
from pipeline.associate.poller import Poller
from pipeline.associate.tcp_info import Books
from pipeline.errors import CensusError
from pipeline.record.visit import Visit
from pipeline.wire.outgoing import Outgoing

#: A whole answer is some 200 bytes; the conversation bounds what is kept of a longer one.
READ_SIZE = 4096
#: One repetition of the SYN, after 1 s. Linux adds `net.ipv4.tcp_syn_linear_timeouts` to it since 6.5: our deadline comes first.
SYN_COUNT = 1
#: A connection that came sooner needed no repetition: none is sent before 1 s (RFC 6298 §2.1).
SYN_REPEATED_US = 900_000
#: The kernel has begun to connect, and will say when it is done.
BEGUN = frozenset({0, errno.EINPROGRESS})
#: The peer answered our SYN with a RST; or sent one, perhaps after a FIN, before we saw that the connection stood.
REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE})
#: A router, or nobody, answered our SYN.
UNREACHABLE = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ECONNABORTED}
)
FAILED = EPOLLERR | EPOLLHUP


async def visit(
    open_socket: Callable[[str], socket.socket],
    outgoing: Outgoing,
    *,
    echo: bool,
    ip: int,
    port: int,
    secured: bool = False,
) -> Visit:
    """Hold one conversation with a target, over the non-blocking socket that the guard opens for its address.

    A secured one goes through TLS: nothing leaves for the target but what OpenSSL sealed.

    Raises GuardError if the guard refuses the address, or for bytes that are not whitelisted, and CensusError for
    a fault of this machine; what the peer does never raises.
    """
    address = socket.inet_ntoa(ip.to_bytes(4))
    whole_us = tls.WHOLE_TLS_US if secured else WHOLE_US
    talk = Conversation(outgoing, echo=echo, ip=ip, port=port, started_at_us=time.time_ns() // 1000, whole_us=whole_us)
    with open_socket(address) as sock:
        if secured:
            return await _Line(sock, tls.Secured(talk, outgoing), tls.require_sealed).hold(address, port)
        return await _Line(sock, talk, outgoing.require_template).hold(address, port)


class _Line:
    """A socket and the conversation held over it; the poller calls `on_ready` and `on_alarm`, which take the next step."""

    __slots__ = (
        "_began_ns", "_books", "_broken", "_done", "_error", "_events", "_poller", "_require_sendable", "_retransmits", "_sent",
        "_sock", "_step", "_talk", "_unsent", "alarm_ns", "fd",
    )  # fmt: skip

    def __init__(
        self, sock: socket.socket, talk: Conversation | tls.Secured, require_sendable: Callable[[bytes], bytes]
    ) -> None:
        loop = asyncio.get_running_loop()
        self._sock = sock
        self._talk = talk
        self._require_sendable = require_sendable
        self._poller = Poller.of(loop)
        self._done: asyncio.Future[Visit] = loop.create_future()
        self._step: Callable[[_Line, int], None] = _Line._connected  # a bound method would be a cycle
        self._events = EPOLLOUT
        self._began_ns = time.monotonic_ns()
        self._unsent = b""
        self._broken = False  # a send told of a RST; the kernel says "end of file" from then on
        self._retransmits = 0
        self._sent = 0
        self._error: str | None = None
        self._books: Books | None = None  # as they were when our patience ended
        self.fd = sock.fileno()
        self.alarm_ns = self._due_ns()

    async def hold(self, address: str, port: int) -> Visit:
        """Connect, talk until the conversation is finished, and give its facts."""
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_COUNT)
        error = self._sock.connect_ex((address, port))
        try:
            self._poller.watch(self, self._events)
            if error not in BEGUN:
                self._guarded(self._failed, error)
            return await self._done
        finally:
            self._poller.forget(self)

    # --- what the poller calls ---

    def on_ready(self, events: int) -> None:
        """Take the step that the socket is ready for."""
        self._guarded(self._step, self, events)

    def on_alarm(self) -> None:
        """Tell the conversation that its time is over, or wait on if it has been given more meanwhile."""
        if self._due_ns() <= time.monotonic_ns():
            self._guarded(self._expire)
        if not self._done.done():
            self._set_alarm()

    def _guarded(self, step: Callable[..., None], *values: Any) -> None:
        """Take a step; what it raises goes to who waits for the visit, and the visit ends with the conversation."""
        try:
            step(*values)
            if self._talk.finished:
                self._finish()
            else:
                self._wait()
        except Exception as error:
            self._poller.forget(self)
            if not self._done.done():
                self._done.set_exception(error)

    def _wait(self) -> None:
        """Wait for the peer, for room to send what is left, and for a deadline that TLS may have brought nearer."""
        events = EPOLLIN | EPOLLOUT if self._unsent else EPOLLIN
        if events != self._events:
            self._events = events
            self._poller.change(self, events)
        if self._due_ns() < self.alarm_ns:
            self._set_alarm()

    def _finish(self) -> None:
        """Close at once, and give the facts to who waits for them."""
        self._poller.forget(self)
        last = Books.of(self._sock)
        self._sock.close()
        rtt = (self._books or last).rtt or None
        if self._step is _Line._connected:  # until it was closed, the kernel went on sending SYNs
            self._retransmits = last.total_retrans
        if not self._done.done():
            self._done.set_result(
                self._talk.visit(
                    syn_retransmits=self._retransmits, bytes_sent=self._sent, error=self._error, rtt_us=rtt
                )
            )

    # --- time ---

    def _now(self) -> int:
        """Microseconds since the visit began."""
        return (time.monotonic_ns() - self._began_ns) // 1000

    def _due_ns(self) -> int:
        """The conversation's deadline, by the monotonic clock."""
        return self._began_ns + self._talk.next_deadline_us * 1000

    def _set_alarm(self) -> None:
        self.alarm_ns = self._due_ns()
        self._poller.set_alarm(self)

    def _expire(self) -> None:
        self._books = Books.of(self._sock)
        self._say(self._talk.deadline(self._now(), nothing=self._books.why_nothing()))

    # --- steps ---

    def _connected(self, events: int) -> None:
        """Learn how connecting went; if well, send the request at once."""
        if events & FAILED and (error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._failed(error)
            return
        now = self._now()
        if now >= SYN_REPEATED_US:
            self._retransmits = Books.of(self._sock).total_retrans
        self._step = _Line._talking
        self._say(self._talk.connected(now))

    def _failed(self, error: int) -> None:
        """Translate why a connection failed; what is no fact about the peer stops the program."""
        if error not in REFUSED | UNREACHABLE:
            raise CensusError(f"this machine cannot open connections: {errno.errorcode.get(error, error)}")
        self._error = errno.errorcode.get(error)
        self._talk.connect_failed(self._now(), refused=error in REFUSED)

    def _talking(self, events: int) -> None:
        """Send what is left to send, read what there is to read."""
        if self._unsent and events & EPOLLOUT:
            self._send()
        if events & ~EPOLLOUT:
            self._read()

    def _read(self) -> None:
        """Read once, and say what the conversation wants to say to it."""
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._error = errno.errorcode.get(error.errno or 0)
            self._say(self._talk.peer_reset(self._now()))
            return
        if not data:
            self._say((self._talk.peer_reset if self._broken else self._talk.peer_closed)(self._now()))
            return
        reply = self._talk.received(data, self._now())
        if reply:
            self._say(reply)
        elif not self._talk.finished:
            _acknowledge_at_once(self._sock)

    def _say(self, data: bytes) -> None:
        """Send one template, or the ciphertext of one; other bytes raise GuardError (see `wire.outgoing`)."""
        if data:
            self._unsent += self._require_sendable(data)
            self._send()

    def _send(self) -> None:
        """Send what is left of a template; a closed window takes it later."""
        unsent = self._unsent
        try:
            sent = self._sock.send(unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._broken, self._unsent = True, b""
            self._error = errno.errorcode.get(error.errno or 0)
            return
        self._sent += sent
        self._unsent = unsent[sent:]


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Delay no acknowledgement of half an answer: Nagle's algorithm at the peer would wait for it. The kernel forgets this soon."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except OSError:
        return  # the peer reset the connection meanwhile: the next read says so
