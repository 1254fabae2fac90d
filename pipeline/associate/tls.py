"""A conversation through TLS, sans I/O: ciphertext and the time go in; ciphertext to send and one `Visit` come out.

A driver uses it as it uses a plain `Conversation`. OpenSSL is given plaintext only when the conversation sends it, and
only if that is one whole template. What is sent is `Ciphertext`, which only OpenSSL makes. Certificates are recorded,
never verified, so verification fails no handshake.

A peer that requests a client certificate gets an empty one. In TLS 1.3 our side of the handshake then completes before
the peer has judged the certificate. If it refuses, a request of ours that is on its way would draw a RST, which can
destroy the alert with the reason. So we listen first: until the peer goes on (its session ticket), refuses, or has sent
nothing for `LISTEN_US`.
"""

import ssl
from enum import Enum
from typing import Any

from msgspec.structs import replace

from pipeline.associate import openssl
from pipeline.associate.conversation import VISIT_US, Conversation
from pipeline.associate.handshake import REASON_LIMIT, VERSIONS, HandshakeLog
from pipeline.errors import GuardError
from pipeline.outcome import ClientCertificate, CloseKind, Handshake, Outcome
from pipeline.record.visit import TlsFacts, Visit
from pipeline.wire.flight import GROUP_LIMIT, Flight
from pipeline.wire.outgoing import Outgoing

#: Time for two round trips and a slow server's RSA signature; a JVM's first handshake takes over a second.
HANDSHAKE_US = 4_000_000
#: Time for one round trip and for the peer to judge our empty certificate.
LISTEN_US = 1_000_000
#: For the whole visit: some servers have a single slot, and we occupy it no longer than this.
TLS_VISIT_US = HANDSHAKE_US + VISIT_US
#: Bytes received in the handshake: eight long certificates make 20 KiB, most handshakes have under 4.
HANDSHAKE_LIMIT = 64 * 1024
#: Bytes received after it: 16 KiB of plaintext in the smallest useful records, and session tickets.
ASSOCIATION_LIMIT = 64 * 1024
READ_SIZE = 16 * 1024
#: The facts of a visit without a connection.
NO_HANDSHAKE = TlsFacts(handshake=Handshake.NO_CONNECTION, client_certificate=ClientCertificate.NOT_REQUESTED)


class Ciphertext(bytes):
    """Bytes that OpenSSL wrote; nothing else may be sent to a TLS port."""


class Phase(Enum):
    """The phase of a conversation through TLS."""

    CONNECT = "waiting for the connection"
    HANDSHAKE = "handshake in progress"
    LISTEN = "our side of the handshake is complete; waiting for the peer to accept our empty certificate"
    ASSOCIATION = "the association in progress"
    OVER = "over"


def require_ciphertext(data: bytes) -> bytes:
    """Return the bytes if OpenSSL wrote them. Raises GuardError for any other bytes."""
    if not isinstance(data, Ciphertext):
        raise GuardError(f"outgoing payload of {len(data)} bytes for a TLS port is not from OpenSSL; nothing was sent")
    return data


class TlsConversation:
    """A conversation through TLS, with the interface of `Conversation`."""

    def __init__(self, conversation: Conversation, outgoing: Outgoing) -> None:
        self._conversation = conversation
        self._outgoing = outgoing
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl_object = openssl.connect(self._in, self._out)
        self._log = HandshakeLog(self._ssl_object)
        self._flight = Flight()
        self._phase = Phase.CONNECT
        self._deadline_us = conversation.next_deadline_us
        self._limit = HANDSHAKE_LIMIT
        self._request_sent = False  # our A-ASSOCIATE-RQ
        self._plaintext_received = False
        self._failed = False  # we ended the conversation: an alert, or bytes that are not TLS

    # --- what the driver reads ---

    @property
    def finished(self) -> bool:
        """Whether the driver must close the connection now."""
        return self._phase is Phase.OVER

    @property
    def next_deadline_us(self) -> int:
        """When to call `deadline`, unless another event comes first."""
        return self._conversation.next_deadline_us if self._phase is Phase.ASSOCIATION else self._deadline_us

    def visit(self, **driver: Any) -> Visit:
        """The record of the conversation, with the facts that the driver adds; final once `finished`."""
        record = self._conversation.visit(**driver)
        if self._log.hello_us is None:
            return replace(record, tls=NO_HANDSHAKE)
        record = replace(record, connect_us=self._log.hello_us, tls=self._log.facts(record.started_at))
        if self._failed:
            record = replace(record, close_kind=CloseKind.WE_CLOSED)
        if not self._request_sent:
            return self._log.without_association(record, self._outgoing.request)
        return replace(record, outcome=Outcome.TLS) if self._failed and not self._plaintext_received else record

    # --- what the driver reports ---

    def connected(self, now_us: int) -> Ciphertext:
        """Return our ClientHello, now that the connection is open."""
        if self._phase is Phase.CONNECT:
            self._phase, self._log.hello_us, self._deadline_us = Phase.HANDSHAKE, now_us, now_us + HANDSHAKE_US
            self._do_handshake(now_us)
        return self._outgoing_ciphertext()

    def connect_failed(self, now_us: int, *, refused: bool = False) -> Ciphertext:
        """Record that no connection was opened."""
        self._conversation.connect_failed(now_us, refused=refused)
        self._phase = Phase.OVER
        return Ciphertext()

    def received(self, data: bytes, now_us: int) -> Ciphertext:
        """Take ciphertext from the peer; return what OpenSSL sends in answer."""
        if self._phase not in (Phase.CONNECT, Phase.OVER) and data:
            self._log.take(data, now_us)
            self._feed(data, now_us)
        return self._outgoing_ciphertext()

    def peer_closed(self, now_us: int) -> Ciphertext:
        """Take the peer's FIN, or its close_notify."""
        self._on_peer_left(Handshake.CLOSED)
        self._conversation.peer_closed(now_us)
        self._phase = Phase.OVER
        return Ciphertext()

    def peer_reset(self, now_us: int) -> Ciphertext:
        """Take the peer's RST."""
        self._on_peer_left(Handshake.RESET)
        self._conversation.peer_reset(now_us)
        self._phase = Phase.OVER
        return Ciphertext()

    def deadline(self, now_us: int, *, if_silent: Outcome = Outcome.SILENT) -> Ciphertext:
        """Take the deadline of a phase: after `LISTEN` the request is sent, otherwise the visit ends."""
        if self._phase is Phase.LISTEN:
            self._send_request(now_us)
        elif not self.finished:
            self._expire(now_us, if_silent)
        return self._outgoing_ciphertext()

    # --- the handshake ---

    def _feed(self, data: bytes, now_us: int) -> None:
        """Give ciphertext to OpenSSL, unless it is not TLS or too much."""
        if self._log.received > self._limit:
            self._fail(f"more than {self._limit} bytes", now_us)
        elif self._phase is Phase.HANDSHAKE and self._log.is_not_tls():
            self._fail("no TLS record", now_us, Handshake.NOT_TLS)
        elif self._phase is Phase.HANDSHAKE and self._flight.take(data):
            self._fail(f"Diffie-Hellman group of more than {GROUP_LIMIT * 8} bits", now_us)
        else:
            self._in.write(data)
            (self._do_handshake if self._phase is Phase.HANDSHAKE else self._read)(now_us)

    def _do_handshake(self, now_us: int) -> None:
        """Continue the handshake with the ciphertext received."""
        try:
            self._ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.peer_closed(now_us)
        except ssl.SSLError as error:
            self._fail(_reason(error), now_us, self._log.failure(error.reason))
        else:
            self._on_handshake_done(now_us)

    def _on_handshake_done(self, now_us: int) -> None:
        """Our side of the handshake is complete: listen for a refusal that may still come, or send the request."""
        self._log.result, self._log.completed_us = Handshake.COMPLETED, now_us
        self._limit = self._log.received + ASSOCIATION_LIMIT
        if self._ssl_object.requested and self._ssl_object.version() == VERSIONS[openssl.TLS_1_3]:
            self._phase, self._deadline_us = Phase.LISTEN, now_us + LISTEN_US
        else:
            self._send_request(now_us)
        self._read(now_us)

    # --- the association ---

    def _send_request(self, now_us: int) -> None:
        """Send the request through TLS."""
        self._phase, self._request_sent = Phase.ASSOCIATION, True
        self._encrypt(self._conversation.connected(now_us))

    def _read(self, now_us: int) -> None:
        """Take the plaintext received, then whatever ended it."""
        if self.finished:
            return
        plain, ended = self._plaintext()
        if self._phase is Phase.LISTEN and (plain or (self._ssl_object.ticket and not ended)):
            self._send_request(now_us)
        if plain:
            self._plaintext_received = True
            self._reply(self._conversation.received(plain, now_us), ended)
        if self._conversation.finished:
            self._close()
        elif isinstance(ended, ssl.SSLZeroReturnError):
            self.peer_closed(now_us)
            self._close()
        elif ended:
            self._fail(_reason(ended), now_us)

    def _reply(self, data: bytes, ended: ssl.SSLError | None) -> None:
        """Encrypt the conversation's reply, unless the connection can no longer be written."""
        if ended is None or isinstance(ended, ssl.SSLZeroReturnError):
            self._encrypt(data)

    def _plaintext(self) -> tuple[bytes, ssl.SSLError | None]:
        """All plaintext received, and the error that ended it, if any."""
        plain = bytearray()
        try:
            while data := self._ssl_object.read(READ_SIZE):
                plain += data
        except ssl.SSLWantReadError:
            return bytes(plain), None
        except ssl.SSLError as error:
            return bytes(plain), error
        return bytes(plain), ssl.SSLZeroReturnError()  # `read` returns no bytes after close_notify

    def _encrypt(self, data: bytes) -> None:
        """Encrypt one template: the only call that gives OpenSSL plaintext."""
        if not data:
            return
        plain = self._outgoing.require_template(data)
        try:
            self._ssl_object.write(plain)
        except ssl.SSLError as error:  # the connection cannot be written any more; the next event shows why
            self._log.error = _reason(error)

    def _outgoing_ciphertext(self) -> Ciphertext:
        """Everything that OpenSSL has written to be sent."""
        return Ciphertext(self._out.read())

    # --- ends ---

    def _on_peer_left(self, result: Handshake) -> None:
        """Record that the peer ended the connection. Right after our empty certificate, that may be the reason."""
        if self._phase is Phase.HANDSHAKE:
            self._log.result = result if self._ssl_object.alert is None else self._log.failure()
        without_reason = self._ssl_object.declined and self._ssl_object.alert is None and not self._plaintext_received
        if self._phase is Phase.OVER or not without_reason:
            return
        self._log.certificate_suspected = True
        if not self._request_sent:
            self._log.result = Handshake.NEEDS_CLIENT_CERTIFICATE

    def _expire(self, now_us: int, if_silent: Outcome) -> None:
        """End the visit at a deadline, with an A-ABORT once the association has begun."""
        if self._phase is Phase.HANDSHAKE:
            self._log.result, self._log.silent_outcome = Handshake.DEADLINE, if_silent
        abort = self._conversation.deadline(now_us, if_silent=if_silent)
        if self._request_sent:
            self._encrypt(abort)
        self._close()

    def _fail(self, reason: str, now_us: int, handshake: Handshake = Handshake.MALFORMED) -> None:
        """End a conversation whose TLS has failed."""
        self._log.error, self._failed = reason, True
        if self._phase is Phase.HANDSHAKE:
            self._log.result = handshake
        elif self._log.refuses_certificate() and not self._plaintext_received:
            self._log.result = Handshake.NEEDS_CLIENT_CERTIFICATE
        self._conversation.peer_closed(now_us)
        self._phase = Phase.OVER

    def _close(self) -> None:
        """Send close_notify (RFC 8446 §6.1) and finish."""
        self._phase = Phase.OVER
        if not self._request_sent:
            return
        try:
            self._ssl_object.unwrap()
        except ssl.SSLError:
            return  # we do not wait for the peer's close_notify


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's reason for an error, or Python's text where it gives none."""
    return (error.reason or str(error))[:REASON_LIMIT]
