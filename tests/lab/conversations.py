"""The fixed set of conversations: what is sent to every server of the laboratory, and the record of what came back.

The numbers and names are those of the captures that were made by hand. Nothing malformed is sent, but for an HTTP GET.
"""

import contextlib
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from pipeline.wire import outgoing
from pipeline.wire.capabilities import PROPOSALS
from pipeline.wire.fields import Accept
from pipeline.wire.pdu import HEADER, Frame, PduType, decode, frame

#: Seconds without a byte after which a peer is silent, and after the last reply, leaves the closing to us.
SILENT, OPEN = 10.0, 3.0
CLASS_UID = outgoing.class_uid("https://census.example.org/")
CALLING_AE = "DICOM-CENSUS"
#: An abstract syntax that exists nowhere, of the length of a real one (PS3.5 Annex B.2).
UNKNOWN = "2.25.111111111111111111111111111111111111111"
HTTP_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation: the abstract syntaxes that it proposes, and the called title, or None for the server's own."""

    number: str
    name: str
    called: str | None = outgoing.CALLED_AE
    proposed: tuple[str, ...] = (outgoing.VERIFICATION,)
    single_bytes: bool = False
    plain: bytes = b""

    def __str__(self) -> str:
        """The case as captures name it."""
        return f"{self.number} {self.name}"


CASES = (
    Case("01", "our request (called ANY-SCP), C-ECHO, A-RELEASE"),
    Case("02", "called AE unknown", called="NO_SUCH_AE"),
    Case("03", "called AE right", called=None),
    Case("04", "called AE blank", called=""),
    Case("05", "only a made-up abstract syntax", proposed=(UNKNOWN,)),
    Case("07", "capability contexts (negotiated only)", called=None, proposed=tuple(item.uid for item in PROPOSALS)),
    Case("28", "one byte a segment", single_bytes=True),
    Case("17", "HTTP GET", plain=HTTP_GET),
)


@dataclass(slots=True)
class Connection:
    """One TCP connection, and its events: seconds since the connection, what happened, the bytes in hexadecimal."""

    sock: socket.socket
    started: float = field(default_factory=time.monotonic)
    events: list[Event] = field(default_factory=list)
    unread: bytes = b""

    def send(self, data: bytes, *, single_bytes: bool = False) -> None:
        """Send, and record it."""
        try:
            for piece in (data[at : at + 1] for at in range(len(data))) if single_bytes else (data,):
                self.sock.sendall(piece)
        except OSError:
            return  # the next read records how the peer ended it
        self._record("send", data)

    def receive(self, wait: float = SILENT) -> bytes:
        """Return the next PDU, or nothing if the peer closed or was silent; both are recorded."""
        self.sock.settimeout(wait)
        while True:
            whole = frame(self.unread)
            if isinstance(whole, Frame):
                return self._take(whole.size)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return self._end("timeout")
            except ConnectionError:
                return self._end("rst")
            if not data:
                return self._end("fin")
            self.unread += data

    def _take(self, size: int) -> bytes:
        data, self.unread = self.unread[:size], self.unread[size:]
        self._record("recv", data)
        return data

    def _end(self, event: str) -> bytes:
        if self.unread:
            self._take(len(self.unread))
        self._record(event)
        return b""

    def _record(self, event: str, data: bytes = b"") -> None:
        at = round(time.monotonic() - self.started, 4)
        self.events.append({"t": at, "ev": event} | ({"hex": data.hex()} if data else {}))


def converse(case: Case, port: int, title: str) -> list[Event]:
    """Hold one conversation with the server on this port of loopback; return its events."""
    templates = outgoing.encode(calling_ae=CALLING_AE, class_uid=CLASS_UID, proposed=case.proposed)
    called = title if case.called is None else case.called
    request = templates.request[:10] + called.encode().ljust(16) + templates.request[26:]
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), SILENT)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Connection(sock)
        peer.send(case.plain or request, single_bytes=case.single_bytes)
        reply = peer.receive()
        if reply and reply[0] == PduType.ASSOCIATE_AC:
            _follow(peer, reply, templates, capabilities=len(case.proposed) > 1)
        elif reply:
            peer.receive(OPEN)
    return peer.events


def _follow(peer: Connection, reply: bytes, templates: outgoing.Outgoing, *, capabilities: bool) -> None:
    """Verify if that was accepted, release, and see who closes."""
    accept = decode(Frame(reply[0], reply[HEADER:]))
    verified = isinstance(accept, Accept) and any(context.result == 0 for context in accept.contexts)
    if verified and not capabilities and outgoing.VERIFICATION in templates.proposed.values():
        peer.send(templates.echo)
        if not peer.receive():
            return
    peer.send(templates.release_request)
    if peer.receive():
        peer.receive(OPEN)
