"""X.509 certificates of unknown peers: any bytes in, facts and warnings out.

The library `cryptography` decodes them. On hostile bytes it raises many kinds of errors; `_ErrorCollector.run` turns each
into a warning. Only the SubjectPublicKeyInfo is located by our own walk over the outermost DER elements, because a key
that the library does not support needs a fingerprint too.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from pipeline.record.visit import Certificate

#: Certificates read of a chain; further ones are only counted. Chains of public authorities have two to four.
CHAIN_LIMIT = 8
#: Bytes of a certificate; the limit of a whole handshake is the same (`pipeline.associate.tls`).
DER_LIMIT = 64 * 1024
#: Characters kept of a name. Names in use have under 200; RFC 5280 Appendix A allows 64 to 32,768 per attribute.
NAME_LIMIT = 1024
#: Alternative names kept. Certificates of large hosters have a hundred, those of a DICOM node one or two.
SAN_LIMIT = 32
SAN_LENGTH = 255
WARNING_LENGTH = 100
#: OpenSSL does not calculate with longer moduli (OPENSSL_RSA_MAX_MODULUS_BITS).
VERIFIED_BITS = 16_384
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: RFC 5280 §4.1: tags of the optional version and of a SEQUENCE; elements before the SubjectPublicKeyInfo:
#: serialNumber, signature, issuer, validity, subject.
VERSION_TAG, SEQUENCE_TAG, BEFORE_KEY = 0xA0, 0x30, 5

KEYS: tuple[tuple[type, str], ...] = (
    (rsa.RSAPublicKey, "rsa"),
    (ec.EllipticCurvePublicKey, "ec"),
    (dsa.DSAPublicKey, "dsa"),
    (ed25519.Ed25519PublicKey, "ed25519"),
    (ed448.Ed448PublicKey, "ed448"),
)
#: Key types of a fixed size (RFC 8032 §5).
SIZES: Mapping[str, int] = {"ed25519": 256, "ed448": 456}
SIGNATURES: Mapping[str, str] = {
    oid.dotted_string: name.lower()
    for name, oid in vars(SignatureAlgorithmOID).items()
    if isinstance(oid, x509.ObjectIdentifier)
}
#: Prefix of each type of name in a SubjectAlternativeName (RFC 5280 §4.2.1.6).
SAN_KINDS: Mapping[type, str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "URI",
    x509.DirectoryName: "dirName",
    x509.RegisteredID: "RID",
}

T = TypeVar("T")


def read_chain(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Read certificates in the order in which a server sent them, leaf first; at most CHAIN_LIMIT."""
    kept = ders[:CHAIN_LIMIT]
    return tuple(read(der, issuer) for der, issuer in zip_longest(kept, kept[1:]))


def read(der: bytes, issuer: bytes | None = None) -> Certificate:
    """Read one certificate; `issuer` is the next one in the chain. Never raises, whatever the bytes."""
    digest = hashlib.sha256(der).hexdigest()
    if len(der) > DER_LIMIT:
        return Certificate(sha256=digest, size=len(der), warnings=(f"more than {DER_LIMIT} bytes",))
    collector = _ErrorCollector()
    with warnings.catch_warnings(record=True) as deprecations:
        warnings.simplefilter("always")
        facts = _facts(der, issuer, collector)
    all_warnings = tuple(
        dict.fromkeys([*collector.warnings, *(str(item.message)[:WARNING_LENGTH] for item in deprecations)])
    )
    return Certificate(sha256=digest, spki_sha256=_key_digest(der), size=len(der), warnings=all_warnings, **facts)  # type: ignore[arg-type]


def from_message(body: bytes, *, extended: bool) -> Iterator[bytes]:
    """Cut a Certificate message's body into DER (RFC 5246 §7.4.2); `extended` is the format of TLS 1.3 (RFC 8446 §4.4.2)."""
    at = 1 + body[0] if extended and body else 0  # certificate_request_context
    at += 3  # length of the list, which ends with the message
    while at + 3 <= len(body):
        size = int.from_bytes(body[at : at + 3])
        at += 3
        if at + size > len(body):
            return
        yield body[at : at + size]
        at += size
        if extended:
            at += 2 + int.from_bytes(body[at : at + 2])


@dataclass(slots=True)
class _ErrorCollector:
    """Turns the library's errors into warnings."""

    warnings: list[str] = field(default_factory=list)

    def run(self, what: str, call: Callable[[], T]) -> T | None:
        """Call the library; on an error, add a warning and return None."""
        try:
            return call()
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # a panic in the library's Rust code is not an Exception
            self.warnings.append(f"{what}: {type(error).__name__} {error}"[:WARNING_LENGTH])
            return None


def _facts(der: bytes, issuer: bytes | None, collector: _ErrorCollector) -> dict[str, object]:
    """All that the library reads of a certificate."""
    certificate = collector.run("certificate", lambda: x509.load_der_x509_certificate(der))
    if certificate is None:
        return {}
    next_certificate = (
        None if issuer is None else collector.run("issuer", lambda: x509.load_der_x509_certificate(issuer))
    )
    key = collector.run("key", certificate.public_key)
    names = collector.run("subjectAltName", lambda: _alternative_names(certificate)) or ()
    kind = _key_type(certificate, key, collector)
    return {
        "subject": collector.run("subject", lambda: certificate.subject.rfc4514_string()[:NAME_LIMIT]),
        "issuer": collector.run("issuer", lambda: certificate.issuer.rfc4514_string()[:NAME_LIMIT]),
        "subject_organization": collector.run("subject", lambda: _organization(certificate.subject)),
        "issuer_organization": collector.run("issuer", lambda: _organization(certificate.issuer)),
        "san": tuple(_name_text(name) for name in names[:SAN_LIMIT]),
        "san_count": len(names),
        "not_before": collector.run("notBefore", lambda: _microseconds(certificate.not_valid_before_utc)),
        "not_after": collector.run("notAfter", lambda: _microseconds(certificate.not_valid_after_utc)),
        "key_type": kind,
        "key_bits": SIZES.get(kind or "", getattr(key, "key_size", None)),
        "signature_algorithm": collector.run("signatureAlgorithm", lambda: _signature(certificate)),
        "is_ca": collector.run("basicConstraints", lambda: _is_ca(certificate)),
        "self_issued": collector.run("issuer", lambda: certificate.subject == certificate.issuer),
        "self_signed": collector.run("own signature", lambda: _signed_by(certificate, certificate)),
        "signed_by_next": next_certificate
        and collector.run("signature", lambda: _signed_by(certificate, next_certificate)),
    }


def _microseconds(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _organization(name: x509.Name) -> str | None:
    """The first organizationName of a name."""
    organizations = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(organizations[0].value)[:NAME_LIMIT] if organizations else None


def _alternative_names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The names of the SubjectAlternativeName extension, none if it is absent."""
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _name_text(name: x509.GeneralName) -> str:
    """A general name as text, after the prefix of its type."""
    value = name.value
    text = value.rfc4514_string() if isinstance(value, x509.Name) else getattr(value, "dotted_string", str(value))
    return f"{SAN_KINDS.get(type(name), 'other')}:{text}"[:SAN_LENGTH]


def _is_ca(certificate: x509.Certificate) -> bool | None:
    """Whether basicConstraints allow the certificate to sign others; None without that extension."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return None


def _key_type(certificate: x509.Certificate, key: object, collector: _ErrorCollector) -> str | None:
    """Our name for a key's type; for one that the library does not support, its object identifier."""
    known = next((name for kind, name in KEYS if isinstance(key, kind)), None)
    return known or collector.run("key", lambda: certificate.public_key_algorithm_oid.dotted_string)


def _signature(certificate: x509.Certificate) -> str:
    """The library's name for the signature algorithm, or its object identifier."""
    dotted = certificate.signature_algorithm_oid.dotted_string
    return SIGNATURES.get(dotted, dotted)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """Whether the issuer's name and key match the certificate. Raises for algorithms that the library no longer supports."""
    if certificate.issuer != issuer.subject:
        return False
    if getattr(issuer.public_key(), "key_size", 0) > VERIFIED_BITS:
        return None
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    return True


def _key_digest(der: bytes) -> str | None:
    """SHA-256 of the SubjectPublicKeyInfo's DER in the certificate; None if it cannot be located."""
    try:
        at = _content(der, _content(der, 0))  # Certificate, TBSCertificate
        if der[at] == VERSION_TAG:
            at = _end(der, at)
        for _ in range(BEFORE_KEY):
            at = _end(der, at)
        end = _end(der, at)
    except IndexError:
        return None
    whole = der[at] == SEQUENCE_TAG and end <= len(der)
    return hashlib.sha256(der[at:end]).hexdigest() if whole else None


def _content(der: bytes, at: int) -> int:
    """Where the content of the DER element at an offset begins (X.690 §8.1.3). Raises IndexError past the end."""
    first = der[at + 1]
    return at + 2 + (first & 0x7F if first & 0x80 else 0)


def _end(der: bytes, at: int) -> int:
    """Where the DER element at an offset ends. Raises IndexError past the end."""
    start = _content(der, at)
    first = der[at + 1]
    return start + (int.from_bytes(der[at + 2 : start]) if first & 0x80 else first)
