"""The peer of a TLS conversation, in memory: a real TLS server that answers like a DICOM service."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.associate.conversation import Conversation
from pipeline.associate.tls import TLS_VISIT_US, TlsConversation
from pipeline.testbed.hostile import answers
from pipeline.wire.outgoing import Outgoing, encode

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
TURNS = 40


def tls_conversation(*, echo: bool = True, outgoing: Outgoing = OUTGOING) -> TlsConversation:
    """A TLS conversation that waits for its connection."""
    conversation = Conversation(outgoing, echo=echo, ip=1, port=2762, started_at_us=0, visit_us=TLS_VISIT_US)
    return TlsConversation(conversation, outgoing)


def server_context(certificates: Path, key: Path, *, version: ssl.TLSVersion, demand: ssl.VerifyMode) -> ssl.SSLContext:
    """A server's TLS context, of one version, with a client certificate ignored, requested or required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates, key)
    context.load_verify_locations(certificates)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:eNULL:@SECLEVEL=0")
    context.verify_mode = demand
    return context


class Server:
    """A TLS server over bytes; it answers each plaintext that it reads with its next answer."""

    def __init__(self, context: ssl.SSLContext, reply_with: Callable[[bytes], Iterator[bytes]] = answers) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._reply_with = reply_with
        self._answers: Iterator[bytes] | None = None
        self.received: list[bytes] = []
        self.handshake_done = False
        self.failed = ""
        self.closed = False

    def take(self, data: bytes) -> bytes:
        """Take ciphertext, return ciphertext."""
        self._in.write(data)
        try:
            self._go_on()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.failed = error.reason or str(error)
        return self._out.read()

    def close(self) -> bytes:
        """Send close_notify."""
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def _go_on(self) -> None:
        if not self.handshake_done:
            self._tls.do_handshake()
            self.handshake_done = True
        while data := self._tls.read(65_536):
            self.received.append(data)
            self._answers = self._reply_with(data) if self._answers is None else self._answers
            if reply := next(self._answers, b""):
                self._tls.write(reply)
        self.closed = True


def converse(conversation: TlsConversation, server: Server, *, step: int | None = None) -> list[bytes]:
    """Run the conversation, the server's ciphertext in pieces of `step` bytes; return the server's flights."""
    flights, now = [], 1000
    data = conversation.connected(now)
    for _ in range(TURNS):
        flight = server.take(data) if data else b""
        flights.append(flight)
        data = b""
        for piece in pieces(flight, step):
            now += 10
            data += conversation.received(piece, now)
        if conversation.finished:
            server.take(data)
            break
        if not flight and not data:
            now = conversation.next_deadline_us
            data = bytes(conversation.deadline(now))
    return flights


def pieces(data: bytes, step: int | None) -> Iterator[bytes]:
    """Cut into pieces."""
    size = step or len(data) or 1
    return (data[at : at + size] for at in range(0, len(data), size))
