"""OpenSSL as this program uses it: one context, and a witness of the messages of each handshake.

Python tells of a failed handshake only OpenSSL's own word for it, nothing of TLS 1.3's CertificateRequest, and before
Python 3.13 nothing of the certificates that were sent. OpenSSL's message callback tells all of it, decrypted, also where
the handshake fails; Python has it since 3.8 as `SSLContext._msg_callback`, which is private: this is the only place that
knows it, and `tests/associate/test_openssl.py` holds it to what is said here.
"""

import ssl
from enum import IntEnum
from functools import cache
from typing import Any

#: All that this OpenSSL can do but anonymous key exchange, which would leave no certificate to see; ciphers without
#: encryption come last: a retired DICOM profile asks for them (PS3.15 B.1), and what we send is no secret.
#: Security level 0: old servers have short keys and SHA-1 signatures, and are who is to be counted.
CIPHERS = "ALL:eNULL:!aNULL:@SECLEVEL=0"
#: SSL_OP_LEGACY_SERVER_CONNECT: connect to servers older than RFC 5746; `ssl` names it since 3.12.
LEGACY_SERVER_CONNECT = 0x4
#: Handshake messages begin with a type and a length (RFC 8446 §4).
HEADER = 4
TLS_1_3 = 0x0304


class Content(IntEnum):
    """Types of content (RFC 8446 §5.1) whose messages are looked at."""

    ALERT = 21
    HANDSHAKE = 22


class Message(IntEnum):
    """Types of handshake messages (RFC 8446 §4, RFC 5246 §7.4) that are looked at."""

    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13


class Witness(ssl.SSLObject):
    """A connection that remembers what the peer asked and said. `ssl` makes it: attributes have their values here."""

    version_seen: int | None = None
    """The version chosen, known from the message after the peer's hello on."""
    requested = False
    """The peer sent a CertificateRequest."""
    declined = False
    """We answered it with a Certificate message that holds none."""
    ticket = False
    """The peer sent a NewSessionTicket: in TLS 1.3 it does so when it is content with our part of the handshake."""
    certificate: bytes | None = None
    """Body of the peer's Certificate message."""
    certificate_version: int | None = None
    alert: int | None = None
    """The peer's last alert but close_notify."""
    our_alert: int | None = None

    def take(self, *, ours: bool, version: int, content: int, message: int, data: bytes) -> None:
        """Note one message, ours or the peer's."""
        if content == Content.ALERT and len(data) == 2:
            self._take_alert(data[1], ours=ours)
        elif content == Content.HANDSHAKE and ours:
            self.declined = self.declined or message == Message.CERTIFICATE
        elif content == Content.HANDSHAKE:
            self._take_handshake(message, data, version)

    def _take_alert(self, number: int, *, ours: bool) -> None:
        if not number:
            return
        if ours:
            self.our_alert = number
        else:
            self.alert = number

    def _take_handshake(self, message: int, data: bytes, version: int) -> None:
        if message != Message.SERVER_HELLO:
            self.version_seen = version
        self.requested = self.requested or message == Message.CERTIFICATE_REQUEST
        self.ticket = self.ticket or message == Message.NEW_SESSION_TICKET
        if message == Message.CERTIFICATE and self.certificate is None:
            self.certificate, self.certificate_version = data[HEADER:], version


@cache
def context() -> ssl.SSLContext:
    """The context of all handshakes of this process."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is verified: we count what is there, send nothing that must be kept from others, and record the facts.
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    # TLS 1.0 and later whatever the system's configuration says; `ssl` itself leaves SSL 3 out.
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.set_ciphers(CIPHERS)
    # No tickets: each handshake is a whole one, and none can be tied to an earlier one. No renegotiation: it would be a
    # second handshake in one visit.
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | LEGACY_SERVER_CONNECT
    made.sslobject_class = Witness
    made._msg_callback = _witness  # type: ignore[attr-defined]
    return made


def connect(incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> Witness:
    """Begin a client's end of a connection. No name is sent (SNI): addresses are visited, and we know no names."""
    made = context().wrap_bio(incoming, outgoing)
    assert isinstance(made, Witness)  # noqa: S101 - what the context above makes
    return made


def _witness(connection: Any, direction: str, version: int, content: int, message: Any, data: bytes) -> None:
    """Pass a message on to the connection that it belongs to."""
    number = int(message) if isinstance(message, int) else 0
    connection.take(ours=direction == "write", version=int(version), content=int(content), message=number, data=data)
