"""Certificates: any bytes give facts and warnings."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.record.visit import Certificate
from pipeline.wire.certificate import CHAIN_LIMIT, DER_LIMIT, SAN_LIMIT, WARNING_LENGTH, from_message, read, read_chain
from tests.associate.authority import NOW, Issued, issue

SELF_SIGNED = issue("pacs.example.test")
ROOT = issue("root", ca=True)
LEAF = issue("pacs.example.test", ROOT)
SECONDS = 1_000_000


def made(tmp_path: Path, *options: str) -> bytes:
    """A certificate made by openssl, for kinds that the library cannot make."""
    command = ["openssl", "req", "-x509", "-nodes", "-outform", "DER", "-keyout", tmp_path / "key", "-subj", "/CN=old"]
    return subprocess.run([*command, *options], capture_output=True, check=True).stdout


def spki(issued: Issued) -> str:
    """The fingerprint of a key by the library."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(issued.key.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()


def test_self_signed() -> None:
    """Every fact of an ordinary self-signed certificate is read."""
    assert read(SELF_SIGNED.der) == Certificate(
        sha256=hashlib.sha256(SELF_SIGNED.der).hexdigest(),
        size=len(SELF_SIGNED.der),
        spki_sha256=spki(SELF_SIGNED),
        subject="CN=pacs.example.test,O=Example Hospital,C=GB",
        issuer="CN=pacs.example.test,O=Example Hospital,C=GB",
        subject_organization="Example Hospital",
        issuer_organization="Example Hospital",
        san=("DNS:n0.example.test", "IP:192.0.2.1"),
        san_count=2,
        not_before=int(NOW.timestamp() - 86_400) * SECONDS,
        not_after=int(NOW.timestamp() + 30 * 86_400) * SECONDS,
        key_type="rsa",
        key_bits=2048,
        signature_algorithm="rsa_with_sha256",
        is_ca=False,
        self_issued=True,
        self_signed=True,
    )


def test_chain() -> None:
    """Each certificate of a chain is checked against the next one, except the last."""
    leaf, root = read_chain([LEAF.der, ROOT.der])
    assert (leaf.self_issued, leaf.self_signed, leaf.signed_by_next) == (False, False, True)
    assert (root.self_signed, root.signed_by_next, root.is_ca) == (True, None, True)
    stranger = issue("root", ca=True)
    assert read_chain([LEAF.der, stranger.der])[0].signed_by_next is False
    assert read_chain([LEAF.der, SELF_SIGNED.der])[0].signed_by_next is False


def test_long_chain() -> None:
    """The first eight certificates of an endless chain are read."""
    assert len(read_chain([LEAF.der] * 1000)) == CHAIN_LIMIT


def test_elliptic_curve() -> None:
    """An elliptic-curve key has its size and fingerprint."""
    issued = issue("ec", key=ec.generate_private_key(ec.SECP384R1()))
    seen = read(issued.der)
    assert (seen.key_type, seen.key_bits, seen.signature_algorithm) == ("ec", 384, "ecdsa_with_sha256")
    assert seen.spki_sha256 == spki(issued)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (("-newkey", "rsa:512", "-md5"), ("rsa", 512)),
        (("-newkey", "rsa:1024", "-sha1"), ("rsa", 1024)),
        (("-newkey", "ed448"), ("ed448", 456)),
        (("-newkey", "rsa:2048", "-set_serial", "-5"), ("rsa", 2048)),
        (("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:sect163k1"), ("1.2.840.10045.2.1", None)),
    ],
)
def test_what_old_servers_have(options: tuple[str, ...], key: tuple[str, int | None], tmp_path: Path) -> None:
    """Short keys, broken digests, negative serials and unusual curves are facts; unreadable parts are warnings."""
    seen = read(made(tmp_path, *options))
    assert (seen.subject, seen.self_issued, (seen.key_type, seen.key_bits)) == ("CN=old", True, key)
    assert seen.spki_sha256 is not None
    assert (seen.self_signed is None) == any("signature" in warning for warning in seen.warnings)


def test_huge_key() -> None:
    """A key that is too long to calculate with is described but not used."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << 32_768) - 1).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    ours, huge = (key.public_bytes(serialization.Encoding.DER, form) for key in (SELF_SIGNED.key.public_key(), numbers))
    seen = read(spliced(SELF_SIGNED.der, ours, huge))
    assert (seen.key_bits, seen.self_signed, seen.spki_sha256) == (32_768, None, hashlib.sha256(huge).hexdigest())


def spliced(der: bytes, old: bytes, new: bytes) -> bytes:
    """Replace an element of the TBSCertificate and correct the two lengths around it, of two bytes each."""
    mended = bytearray(der.replace(old, new, 1))
    for at in (2, 6):
        length = int.from_bytes(mended[at : at + 2]) + len(new) - len(old)
        mended[at : at + 2] = length.to_bytes(2)
    return bytes(mended)


def test_many_names() -> None:
    """The first few of ten thousand names are kept and all are counted, unless the certificate is too large to read."""
    seen = read(issue("hoster", names=1000).der)
    assert (len(seen.san), seen.san_count) == (SAN_LIMIT, 1001)
    endless = issue("hoster", names=10_000).der
    assert len(endless) > DER_LIMIT
    assert read(endless) == Certificate(
        sha256=hashlib.sha256(endless).hexdigest(), size=len(endless), warnings=(f"more than {DER_LIMIT} bytes",)
    )


def test_broken_text() -> None:
    """A name that is not UTF-8 is a warning; the rest is read."""
    seen = read(SELF_SIGNED.der.replace(b"Example Hospital", b"Ex\xffmple Hospital"))
    assert seen.subject is None and seen.key_bits == 2048
    assert any(warning.startswith("subject: ") for warning in seen.warnings)


def test_broken_extension() -> None:
    """An extension that cannot be read affects no other fact."""
    seen = read(SELF_SIGNED.der.replace(b"\x82\x0fn0.example", b"\x8f\x0fn0.example"))
    assert (seen.san, seen.subject_organization) == ((), "Example Hospital")
    assert any(warning.startswith("subjectAltName: ") for warning in seen.warnings)


@given(st.binary(max_size=300))
@example(b"")
@example(bytes.fromhex("3080"))
@example(b"\x30\xff" + b"\xff" * 200)
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a digest and a size, and stay within all limits."""
    sound(read(data, data), data)


@given(st.integers(0, len(LEAF.der) - 1), st.binary(max_size=8), st.integers(0, 8))
def test_mutated(at: int, new: bytes, cut: int) -> None:
    """A certificate with some bytes replaced, added or removed never raises."""
    data = LEAF.der[:at] + new + LEAF.der[at + cut :]
    sound(read(data, ROOT.der), data)


def test_cut_anywhere() -> None:
    """A certificate cut at any byte is unreadable, and has no other effect."""
    for size in range(len(LEAF.der)):
        assert read(LEAF.der[:size]).subject is None


def sound(seen: Certificate, data: bytes) -> None:
    """Check the invariants of any bytes."""
    assert (seen.sha256, seen.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert all(len(warning) <= WARNING_LENGTH for warning in seen.warnings)
    assert len(seen.san) <= SAN_LIMIT
    assert seen.subject is not None or seen.warnings


def listed(ders: list[bytes], *, extended: bool) -> bytes:
    """A Certificate message's body, in the format of RFC 5246 §7.4.2 or RFC 8446 §4.4.2."""
    tail = b"\0\0" if extended else b""
    entries = b"".join(len(der).to_bytes(3) + der + tail for der in ders)
    return (b"\0" if extended else b"") + len(entries).to_bytes(3) + entries


@given(st.lists(st.binary(max_size=40), max_size=5), st.booleans())
def test_message(ders: list[bytes], extended: bool) -> None:
    """A message gives back the certificates that were put into it, a truncated message the first of them."""
    body = listed(ders, extended=extended)
    assert list(from_message(body, extended=extended)) == ders
    for size in range(len(body)):
        found = list(from_message(body[:size], extended=extended))
        assert found == ders[: len(found)]


@given(st.binary(max_size=100), st.booleans())
def test_any_message(body: bytes, extended: bool) -> None:
    """Any body gives certificates that are parts of the body."""
    assert all(der in body for der in from_message(body, extended=extended))
