"""A conversation through TLS, sans I/O: ciphertext and the time go in; ciphertext to send and one `Visit` come out.

A driver sees what it sees of a plain `Conversation`. Plaintext goes in only where the conversation said it, and only if
it is one whole template; ciphertext comes only out of OpenSSL, as `Sealed`. No verification fails a handshake.

A peer that asks for a client certificate gets an empty one. In TLS 1.3 our handshake is then over before the peer has
judged it, and a request that crosses its refusal would be answered by a RST, which may destroy the alert that says why:
so we listen first, until the peer goes on (its session ticket), refuses, or says nothing for `LISTEN_US`.
"""

import ssl
from enum import Enum
from typing import Any

from msgspec.structs import replace

from pipeline.associate import openssl
from pipeline.associate.conversation import WHOLE_US, Conversation
from pipeline.associate.handshake import REASON_LIMIT, VERSIONS, Seen
from pipeline.errors import GuardError
from pipeline.outcome import ClientCertificate, CloseKind, Handshake, Outcome
from pipeline.record.visit import TlsFacts, Visit
from pipeline.wire.flight import GROUP_LIMIT, Flight
from pipeline.wire.outgoing import Outgoing

#: Two round trips and a slow server's RSA signature; a JVM's first handshake takes over a second.
HANDSHAKE_US = 4_000_000
#: One round trip, and the peer's judgement of our empty certificate.
LISTEN_US = 1_000_000
#: Whatever the peer does, we hold its only slot no longer than this.
WHOLE_TLS_US = HANDSHAKE_US + WHOLE_US
#: A handshake with eight long certificates has 20 KiB; most have under 4.
HANDSHAKE_LIMIT = 64 * 1024
#: After it: 16 KiB of plaintext in the smallest useful records, with session tickets.
TALK_LIMIT = 64 * 1024
READ_SIZE = 16 * 1024
#: The facts of a handshake for which no connection came about.
NOT_BEGUN = TlsFacts(handshake=Handshake.NO_CONNECTION, client_certificate=ClientCertificate.NOT_REQUESTED)


class Sealed(bytes):
    """Ciphertext out of OpenSSL: all that may leave for a TLS port."""


class Phase(Enum):
    """Where a conversation through TLS is."""

    CONNECT = "awaiting the connection"
    HANDSHAKE = "handshake under way"
    LISTEN = "handshake completed for us; does the peer take our empty certificate?"
    TALK = "the association's"
    OVER = "over"


def require_sealed(data: bytes) -> bytes:
    """Return the bytes if OpenSSL encrypted or wrote them. Raises GuardError for any other bytes."""
    if not isinstance(data, Sealed):
        raise GuardError(
            f"outgoing payload of {len(data)} bytes for a TLS port was not made by OpenSSL; nothing was sent"
        )
    return data


class Secured:
    """A conversation through TLS; a driver's view is that of `Conversation`."""

    def __init__(self, talk: Conversation, outgoing: Outgoing) -> None:
        self._talk = talk
        self._outgoing = outgoing
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = openssl.connect(self._in, self._out)
        self._seen = Seen(self._tls)
        self._flight = Flight()
        self._phase = Phase.CONNECT
        self._deadline_us = talk.next_deadline_us
        self._limit = HANDSHAKE_LIMIT
        self._begun = False  # the request went out
        self._heard = False  # some plaintext came
        self._broke = False  # we ended the conversation, because of an alert or of records that are none

    # --- what the driver reads ---

    @property
    def finished(self) -> bool:
        """Whether to close the connection at once."""
        return self._phase is Phase.OVER

    @property
    def next_deadline_us(self) -> int:
        """When to call `deadline`, unless something happens before."""
        return self._talk.next_deadline_us if self._phase is Phase.TALK else self._deadline_us

    def visit(self, **driver: Any) -> Visit:
        """The facts, with those that the driver adds; they are final when the conversation is finished."""
        seen = self._talk.visit(**driver)
        if self._seen.hello_us is None:
            return replace(seen, tls=NOT_BEGUN)
        seen = replace(seen, connect_us=self._seen.hello_us, tls=self._seen.facts(seen.started_at))
        if self._broke:
            seen = replace(seen, close_kind=CloseKind.WE_CLOSED)
        if not self._begun:
            return self._seen.without_association(seen, self._outgoing.request)
        return replace(seen, outcome=Outcome.TLS) if self._broke and not self._heard else seen

    # --- what the driver reports ---

    def connected(self, now_us: int) -> Sealed:
        """Answer the connection with our hello."""
        if self._phase is Phase.CONNECT:
            self._phase, self._seen.hello_us, self._deadline_us = Phase.HANDSHAKE, now_us, now_us + HANDSHAKE_US
            self._shake(now_us)
        return self._drained()

    def connect_failed(self, now_us: int, *, refused: bool = False) -> Sealed:
        """Note that no connection came about."""
        self._talk.connect_failed(now_us, refused=refused)
        self._phase = Phase.OVER
        return Sealed()

    def received(self, data: bytes, now_us: int) -> Sealed:
        """Take ciphertext and go on as far as it leads."""
        if self._phase not in (Phase.CONNECT, Phase.OVER) and data:
            self._seen.take(data, now_us)
            self._take(data, now_us)
        return self._drained()

    def peer_closed(self, now_us: int) -> Sealed:
        """Take the peer's FIN, or its close_notify."""
        self._left(Handshake.CLOSED)
        self._talk.peer_closed(now_us)
        self._phase = Phase.OVER
        return Sealed()

    def peer_reset(self, now_us: int) -> Sealed:
        """Take the peer's RST."""
        self._left(Handshake.RESET)
        self._talk.peer_reset(now_us)
        self._phase = Phase.OVER
        return Sealed()

    def deadline(self, now_us: int, *, nothing: Outcome = Outcome.SILENT) -> Sealed:
        """Take the end of our patience with a phase: after listening the request goes out, else the visit is over."""
        if self._phase is Phase.LISTEN:
            self._begin(now_us)
        elif not self.finished:
            self._expire(now_us, nothing)
        return self._drained()

    # --- the handshake ---

    def _take(self, data: bytes, now_us: int) -> None:
        """Hand ciphertext to OpenSSL, unless it is none or too much."""
        if self._seen.received > self._limit:
            self._break(f"more than {self._limit} bytes", now_us)
        elif self._phase is Phase.HANDSHAKE and self._seen.foreign():
            self._break("no TLS record", now_us, Handshake.NOT_TLS)
        elif self._phase is Phase.HANDSHAKE and self._flight.take(data):
            self._break(f"Diffie-Hellman group of more than {GROUP_LIMIT * 8} bits", now_us)
        else:
            self._in.write(data)
            (self._shake if self._phase is Phase.HANDSHAKE else self._read)(now_us)

    def _shake(self, now_us: int) -> None:
        """Take the handshake as far as the ciphertext reaches."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.peer_closed(now_us)
        except ssl.SSLError as error:
            self._break(_reason(error), now_us, self._seen.failure(error.reason))
        else:
            self._shaken(now_us)

    def _shaken(self, now_us: int) -> None:
        """Go on after our side of the handshake: listen for a refusal that may come yet, or send the request."""
        self._seen.ended, self._seen.completed_us = Handshake.COMPLETED, now_us
        self._limit = self._seen.received + TALK_LIMIT
        if self._tls.requested and self._tls.version() == VERSIONS[openssl.TLS_1_3]:
            self._phase, self._deadline_us = Phase.LISTEN, now_us + LISTEN_US
        else:
            self._begin(now_us)
        self._read(now_us)

    # --- the association ---

    def _begin(self, now_us: int) -> None:
        """Send the request through TLS."""
        self._phase, self._begun = Phase.TALK, True
        self._seal(self._talk.connected(now_us))

    def _read(self, now_us: int) -> None:
        """Take what plaintext there is, then what ended it."""
        if self.finished:
            return
        plain, ended = self._plaintext()
        if self._phase is Phase.LISTEN and (plain or (self._tls.ticket and not ended)):
            self._begin(now_us)
        if plain:
            self._heard = True
            self._reply(self._talk.received(plain, now_us), ended)
        if self._talk.finished:
            self._goodbye()
        elif isinstance(ended, ssl.SSLZeroReturnError):
            self.peer_closed(now_us)
            self._goodbye()
        elif ended:
            self._break(_reason(ended), now_us)

    def _reply(self, data: bytes, ended: ssl.SSLError | None) -> None:
        """Say what the conversation wants to say, unless nothing can be said any more."""
        if ended is None or isinstance(ended, ssl.SSLZeroReturnError):
            self._seal(data)

    def _plaintext(self) -> tuple[bytes, ssl.SSLError | None]:
        """All plaintext that has come, and what ended it, if anything did."""
        plain = bytearray()
        try:
            while data := self._tls.read(READ_SIZE):
                plain += data
        except ssl.SSLWantReadError:
            return bytes(plain), None
        except ssl.SSLError as error:
            return bytes(plain), error
        return bytes(plain), ssl.SSLZeroReturnError()  # Python's way of saying close_notify is to read nothing

    def _seal(self, data: bytes) -> None:
        """Encrypt one template: the only call that gives OpenSSL plaintext."""
        if not data:
            return
        plain = self._outgoing.require_template(data)
        try:
            self._tls.write(plain)
        except ssl.SSLError as error:  # the connection is past writing; the next event tells how it ended
            self._seen.error = _reason(error)

    def _drained(self) -> Sealed:
        """Take what OpenSSL wants to send."""
        return Sealed(self._out.read())

    # --- ends ---

    def _left(self, how: Handshake) -> None:
        """Note that the peer ended the connection; right after our empty certificate that says something."""
        if self._phase is Phase.HANDSHAKE:
            self._seen.ended = how if self._tls.alert is None else self._seen.failure()
        wordless = self._tls.declined and self._tls.alert is None and not self._heard
        if self._phase is Phase.OVER or not wordless:
            return
        self._seen.suspected = True
        if not self._begun:
            self._seen.ended = Handshake.NEEDS_CLIENT_CERTIFICATE

    def _expire(self, now_us: int, nothing: Outcome) -> None:
        """End the visit at a deadline; before the association there is nothing to abort."""
        if self._phase is Phase.HANDSHAKE:
            self._seen.ended, self._seen.nothing = Handshake.DEADLINE, nothing
        farewell = self._talk.deadline(now_us, nothing=nothing)
        if self._begun:
            self._seal(farewell)
        self._goodbye()

    def _break(self, reason: str, now_us: int, handshake: Handshake = Handshake.MALFORMED) -> None:
        """End a conversation that TLS cannot carry on."""
        self._seen.error, self._broke = reason, True
        if self._phase is Phase.HANDSHAKE:
            self._seen.ended = handshake
        elif self._seen.unwelcome() and not self._heard:
            self._seen.ended = Handshake.NEEDS_CLIENT_CERTIFICATE
        self._talk.peer_closed(now_us)
        self._phase = Phase.OVER

    def _goodbye(self) -> None:
        """Say close_notify (RFC 8446 §6.1) and be done."""
        self._phase = Phase.OVER
        if not self._begun:
            return
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return  # we do not wait for the peer's


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's word for an error, or Python's where it has none."""
    return (error.reason or str(error))[:REASON_LIMIT]
