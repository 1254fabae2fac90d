"""Certificates made for the tests."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, made when they are first asked for: each process that collects tests would make all of them."""

    make_key: Callable[[], Key]
    sign: Callable[[Key], x509.Certificate]

    @cached_property
    def key(self) -> Key:
        """Its key."""
        return self.make_key()

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""
        return self.sign(self.key)

    @property
    def der(self) -> bytes:
        """The certificate as a server sends it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path, *issuers: "Issued") -> tuple[Path, Path]:
        """Write the certificate followed by its issuers, and the key; return both paths."""
        certificates, key = folder / "certificates.pem", folder / "key.pem"
        pem = serialization.Encoding.PEM
        certificates.write_bytes(b"".join(issued.certificate.public_bytes(pem) for issued in (self, *issuers)))
        private = serialization.PrivateFormat.TraditionalOpenSSL
        key.write_bytes(self.key.private_bytes(pem, private, serialization.NoEncryption()))
        return certificates, key


def named(common_name: str) -> x509.Name:
    """A distinguished name."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Hospital"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def issue(
    common_name: str,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    days: tuple[int, int] = (-1, 30),
    key: Key | None = None,
    names: int = 1,
) -> Issued:
    """Make a certificate, self-signed or signed by an issuer, valid between two days counted from now."""

    def sign(own: Key) -> x509.Certificate:
        general: list[x509.GeneralName] = [x509.DNSName(f"n{number}.example.test") for number in range(names)]
        general.append(x509.IPAddress(ipaddress.IPv4Address("192.0.2.1")))
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(common_name))
            .issuer_name(issuer.certificate.subject if issuer else named(common_name))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=days[0]))
            .not_valid_after(NOW + timedelta(days=days[1]))
            .add_extension(x509.SubjectAlternativeName(general), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        return builder.sign(issuer.key if issuer else own, hashes.SHA256())

    return Issued(lambda: key or rsa.generate_private_key(65537, 2048), sign)
