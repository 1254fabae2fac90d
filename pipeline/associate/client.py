"""Drive conversations over kernel TCP with asyncio. OS errors become outcomes here, and nowhere above.

A conversation is not a task but a few callbacks from the poller. No coroutine waits while a peer is silent, so one
process can have ten thousand conversations open, and most of a visit's cost is the kernel's.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT
from typing import Any

from pipeline.associate import tls
from pipeline.associate.conversation import VISIT_US, Conversation
from pipeline.associate.poller import Poller
from pipeline.associate.tcp_info import TcpInfo
from pipeline.errors import CensusError
from pipeline.record.visit import Visit
from pipeline.wire.outgoing import Outgoing

#: A typical answer has about 200 bytes; the conversation limits how much of a longer one is kept.
READ_SIZE = 4096
#: The kernel retransmits the SYN once, after 1 s. Linux since 6.5 adds `net.ipv4.tcp_syn_linear_timeouts` to this number,
#: but our deadline comes before its further SYNs.
SYN_COUNT = 1
#: A connection that opened sooner had no retransmitted SYN: none is sent before 1 s (RFC 6298 §2.1).
FIRST_RETRANSMIT_US = 900_000
#: The kernel has started to connect, and will report when it is done.
CONNECTING = frozenset({0, errno.EINPROGRESS})
#: The peer answered our SYN with a RST; or it sent a RST, perhaps after a FIN, before we saw the connection open.
REFUSED = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE})
#: A router answered our SYN, or nothing did.
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
    over_tls: bool = False,
) -> Visit:
    """Visit one target over the non-blocking socket that the guard opens for its address.

    With `over_tls`, all that is sent to the target comes from OpenSSL.

    Raises GuardError if the guard refuses the address, or for bytes that are not whitelisted, and CensusError for
    a fault of this machine; what the peer does never raises.
    """
    address = socket.inet_ntoa(ip.to_bytes(4))
    visit_us = tls.TLS_VISIT_US if over_tls else VISIT_US
    conversation = Conversation(
        outgoing, echo=echo, ip=ip, port=port, started_at_us=time.time_ns() // 1000, visit_us=visit_us
    )
    with open_socket(address) as sock:
        if over_tls:
            return await _Connection(sock, tls.TlsConversation(conversation, outgoing), tls.require_ciphertext).run(
                address, port
            )
        return await _Connection(sock, conversation, outgoing.require_template).run(address, port)


class _Connection:
    """A socket and the conversation over it. The poller calls `on_ready` and `on_alarm`, which take the next step."""

    __slots__ = (
        "_conversation", "_error", "_events", "_poller", "_require_sendable", "_reset_seen", "_result", "_retransmits",
        "_sent", "_sock", "_started_ns", "_step", "_tcp_info", "_unsent", "alarm_ns", "fd",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        conversation: Conversation | tls.TlsConversation,
        require_sendable: Callable[[bytes], bytes],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._sock = sock
        self._conversation = conversation
        self._require_sendable = require_sendable
        self._poller = Poller.of(loop)
        self._result: asyncio.Future[Visit] = loop.create_future()
        self._step: Callable[[_Connection, int], None] = (
            _Connection._connect
        )  # a bound method would make a reference cycle
        self._events = EPOLLOUT
        self._started_ns = time.monotonic_ns()
        self._unsent = b""
        self._reset_seen = False  # a send failed after a RST; from then on the kernel reports "end of file"
        self._retransmits = 0
        self._sent = 0
        self._error: str | None = None
        self._tcp_info: TcpInfo | None = None  # at the deadline
        self.fd = sock.fileno()
        self.alarm_ns = self._deadline_ns()

    async def run(self, address: str, port: int) -> Visit:
        """Connect, exchange bytes until the conversation is finished, and return its record."""
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_COUNT)
        error = self._sock.connect_ex((address, port))
        try:
            self._poller.watch(self, self._events)
            if error not in CONNECTING:
                self._run_step(self._on_connect_error, error)
            return await self._result
        finally:
            self._poller.forget(self)

    # --- what the poller calls ---

    def on_ready(self, events: int) -> None:
        """Take the step that the socket is ready for."""
        self._run_step(self._step, self, events)

    def on_alarm(self) -> None:
        """Report the deadline to the conversation, or set a new alarm if the deadline has moved meanwhile."""
        if self._deadline_ns() <= time.monotonic_ns():
            self._run_step(self._expire)
        if not self._result.done():
            self._set_alarm()

    def _run_step(self, step: Callable[..., None], *values: Any) -> None:
        """Take a step. An exception goes to the caller of `run`; a finished conversation ends the visit."""
        try:
            step(*values)
            if self._conversation.finished:
                self._finish()
            else:
                self._wait()
        except Exception as error:
            self._poller.forget(self)
            if not self._result.done():
                self._result.set_exception(error)

    def _wait(self) -> None:
        """Wait for the peer, for room to send the rest, and for the deadline, which TLS may have moved forward."""
        events = EPOLLIN | EPOLLOUT if self._unsent else EPOLLIN
        if events != self._events:
            self._events = events
            self._poller.change(self, events)
        if self._deadline_ns() < self.alarm_ns:
            self._set_alarm()

    def _finish(self) -> None:
        """Close at once, and return the record to the caller of `run`."""
        self._poller.forget(self)
        last = TcpInfo.of(self._sock)
        self._sock.close()
        rtt = (self._tcp_info or last).rtt or None
        if self._step is _Connection._connect:  # the kernel retransmitted SYNs until the close
            self._retransmits = last.total_retrans
        if not self._result.done():
            self._result.set_result(
                self._conversation.visit(
                    syn_retransmits=self._retransmits, bytes_sent=self._sent, error=self._error, rtt_us=rtt
                )
            )

    # --- time ---

    def _now(self) -> int:
        """Microseconds since the visit began."""
        return (time.monotonic_ns() - self._started_ns) // 1000

    def _deadline_ns(self) -> int:
        """The conversation's deadline, by the monotonic clock."""
        return self._started_ns + self._conversation.next_deadline_us * 1000

    def _set_alarm(self) -> None:
        self.alarm_ns = self._deadline_ns()
        self._poller.set_alarm(self)

    def _expire(self) -> None:
        self._tcp_info = TcpInfo.of(self._sock)
        self._send_template(self._conversation.deadline(self._now(), if_silent=self._tcp_info.silence_outcome()))

    # --- steps ---

    def _connect(self, events: int) -> None:
        """Take the result of connecting; on success, send the request at once."""
        if events & FAILED and (error := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._on_connect_error(error)
            return
        now = self._now()
        if now >= FIRST_RETRANSMIT_US:
            self._retransmits = TcpInfo.of(self._sock).total_retrans
        self._step = _Connection._exchange
        self._send_template(self._conversation.connected(now))

    def _on_connect_error(self, error: int) -> None:
        """Translate a connection error into an outcome. Raises CensusError for one that is not the peer's doing."""
        if error not in REFUSED | UNREACHABLE:
            raise CensusError(f"this machine cannot open connections: {errno.errorcode.get(error, error)}")
        self._error = errno.errorcode.get(error)
        self._conversation.connect_failed(self._now(), refused=error in REFUSED)

    def _exchange(self, events: int) -> None:
        """Send the rest of a template, then read."""
        if self._unsent and events & EPOLLOUT:
            self._send()
        if events & ~EPOLLOUT:
            self._read()

    def _read(self) -> None:
        """Read once, and send the conversation's reply."""
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._error = errno.errorcode.get(error.errno or 0)
            self._send_template(self._conversation.peer_reset(self._now()))
            return
        if not data:
            self._send_template(
                (self._conversation.peer_reset if self._reset_seen else self._conversation.peer_closed)(self._now())
            )
            return
        reply = self._conversation.received(data, self._now())
        if reply:
            self._send_template(reply)
        elif not self._conversation.finished:
            _acknowledge_at_once(self._sock)

    def _send_template(self, data: bytes) -> None:
        """Send a template, or a TLS connection's ciphertext. Raises GuardError for other bytes (see `wire.outgoing`)."""
        if data:
            self._unsent += self._require_sendable(data)
            self._send()

    def _send(self) -> None:
        """Send the rest of a template; what a full window does not take waits."""
        unsent = self._unsent
        try:
            sent = self._sock.send(unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._reset_seen, self._unsent = True, b""
            self._error = errno.errorcode.get(error.errno or 0)
            return
        self._sent += sent
        self._unsent = unsent[sent:]


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Acknowledge a partial answer without delay: Nagle's algorithm at the peer may be waiting. The kernel soon resets this."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except OSError:
        return  # the peer has reset the connection, as the next read will show
