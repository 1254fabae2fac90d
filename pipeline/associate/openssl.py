"""OpenSSL as this program uses it: one context, and a record of the messages of each handshake.

Of a failed handshake, Python's `ssl` gives only OpenSSL's reason. It does not show TLS 1.3's CertificateRequest, nor,
before Python 3.13, the certificates that the peer sent. OpenSSL's message callback has all of this, decrypted, even where
the handshake fails. Since 3.8 Python has it as `SSLContext._msg_callback`, which is private. So only this file uses it,
and `tests/associate/test_openssl.py` checks that it behaves as described here.
"""

import ssl
from enum import IntEnum
from functools import cache
from typing import Any

#: All ciphers of this OpenSSL except anonymous key exchange, which shows no certificate. Ciphers without encryption come
#: last: a retired DICOM profile needs them (PS3.15 B.1), and nothing that we send is secret.
#: Security level 0: old servers have short keys and SHA-1 signatures, and they must be counted too.
CIPHERS = "ALL:eNULL:!aNULL:@SECLEVEL=0"
#: SSL_OP_LEGACY_SERVER_CONNECT: connect to servers older than RFC 5746; `ssl` names it since 3.12.
LEGACY_SERVER_CONNECT = 0x4
#: Handshake messages begin with a type and a length (RFC 8446 §4).
HEADER = 4
TLS_1_3 = 0x0304


class ContentType(IntEnum):
    """Content types (RFC 8446 §5.1) whose messages are recorded."""

    ALERT = 21
    HANDSHAKE = 22


class HandshakeType(IntEnum):
    """Handshake types (RFC 8446 §4, RFC 5246 §7.4) that are recorded."""

    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13


class RecordingSslObject(ssl.SSLObject):
    """An SSL object that records the messages of its handshake. `ssl` creates it, so its attributes get their defaults here."""

    version_seen: int | None = None
    """The negotiated version, known from the first message after the peer's hello."""
    requested = False
    """The peer sent a CertificateRequest."""
    declined = False
    """We answered it with an empty Certificate message."""
    ticket = False
    """The peer sent a NewSessionTicket: in TLS 1.3, a sign that it has accepted our side of the handshake."""
    certificate: bytes | None = None
    """Body of the peer's Certificate message."""
    certificate_version: int | None = None
    alert: int | None = None
    """The peer's last alert, except close_notify."""
    our_alert: int | None = None

    def take(self, *, ours: bool, version: int, content: int, message: int, data: bytes) -> None:
        """Record one message, ours or the peer's."""
        if content == ContentType.ALERT and len(data) == 2:
            self._take_alert(data[1], ours=ours)
        elif content == ContentType.HANDSHAKE and ours:
            self.declined = self.declined or message == HandshakeType.CERTIFICATE
        elif content == ContentType.HANDSHAKE:
            self._take_handshake(message, data, version)

    def _take_alert(self, number: int, *, ours: bool) -> None:
        if not number:
            return
        if ours:
            self.our_alert = number
        else:
            self.alert = number

    def _take_handshake(self, message: int, data: bytes, version: int) -> None:
        if message != HandshakeType.SERVER_HELLO:
            self.version_seen = version
        self.requested = self.requested or message == HandshakeType.CERTIFICATE_REQUEST
        self.ticket = self.ticket or message == HandshakeType.NEW_SESSION_TICKET
        if message == HandshakeType.CERTIFICATE and self.certificate is None:
            self.certificate, self.certificate_version = data[HEADER:], version


@cache
def context() -> ssl.SSLContext:
    """The context of all handshakes of this process."""
    tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is verified: we record the facts of each certificate, and we send nothing secret.
    tls_context.check_hostname = False
    tls_context.verify_mode = ssl.CERT_NONE
    # TLS 1.0 and later, whatever the system's configuration; `ssl` itself excludes SSL 3.
    tls_context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    tls_context.set_ciphers(CIPHERS)
    # No tickets: each handshake is a full one and cannot be linked to an earlier one. No renegotiation: that would be a
    # second handshake in one visit.
    tls_context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | LEGACY_SERVER_CONNECT
    tls_context.sslobject_class = RecordingSslObject
    tls_context._msg_callback = _record_message  # type: ignore[attr-defined]
    return tls_context


def connect(incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> RecordingSslObject:
    """Begin the client side of a connection. No server name (SNI) is sent: we visit addresses and know no names."""
    ssl_object = context().wrap_bio(incoming, outgoing)
    assert isinstance(ssl_object, RecordingSslObject)  # noqa: S101 - the class that the context was given
    return ssl_object


def _record_message(connection: Any, direction: str, version: int, content: int, message: Any, data: bytes) -> None:
    """OpenSSL's message callback: pass the message to the SSL object that it belongs to."""
    number = int(message) if isinstance(message, int) else 0
    connection.take(ours=direction == "write", version=int(version), content=int(content), message=number, data=data)
