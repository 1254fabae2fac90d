"""Read and sign the list of signed ranges, and make keys for it: the files of `census own` and section [own]."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pipeline import host
from pipeline.config.sections import OwnSection
from pipeline.errors import InputError
from pipeline.plan import terms
from pipeline.space import address_list, blocklist
from pipeline.space.ranges import Ranges
from pipeline.space.signed import SignedRanges, verified
from pipeline.untrusted import bounded

#: Largest list, signature or key that is read, in bytes.
SIZE_LIMIT = 4 << 20


def read(section: OwnSection, base: Path) -> SignedRanges | None:
    """Read the files that the configuration names, relative to `base`; None if it names none. Raises InputError or GuardError."""
    if section == OwnSection():
        return None
    data = {}
    for key in ("ranges", "signature", "public_key"):
        if not getattr(section, key):
            raise InputError(
                f"key own.{key}", "is missing; signed ranges need the list, its signature and the owner's key"
            )
        data[key] = _bytes(base / getattr(section, key), f"key own.{key}")
    try:
        signed = SignedRanges(
            owner=section.owner,
            ranges=data["ranges"].decode(),
            signature=data["signature"].hex(),
            public_key=data["public_key"].decode("ascii"),
        )
    except UnicodeDecodeError as error:
        raise InputError("key own", f"has a file that is not text: {error.reason}") from None
    blocklist.require_ownable(verified(signed))
    terms.read(signed.ranges)
    return signed


def make_key(private: Path, public: Path) -> None:
    """Make an Ed25519 key: `private` (PKCS #8 in PEM, mode 0600) stays with the owner, `public` (PEM) is published.

    Raises InputError if either file exists or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    published = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if public.exists():
        raise InputError(str(public), "exists already; name another file")
    _create(private, secret, 0o600)
    _create(public, published, 0o644)


def sign(ranges: Path, private: Path, signature: Path) -> Ranges:
    """Sign a list of ranges, write the signature and return the ranges.

    Raises InputError if list or key cannot be read, and GuardError for a list that nobody accepts.
    """
    data, pem = _bytes(ranges, "the list of ranges"), _bytes(private, "the owner's key")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(str(ranges), f"is not text: {error.reason}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(str(private), "is not an Ed25519 key in PEM without a password; `census own key` makes one")
    signed = address_list.read("own", address_list.lines(text), str(ranges)).ranges
    if not signed.count:
        raise InputError(str(ranges), "names no address")
    terms.read(text)
    blocklist.require_ownable(signed)
    try:
        host.write_result(signature, key.sign(data))
    except OSError as error:
        raise InputError(str(signature), f"cannot be written: {error.strerror}") from None
    return signed


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise InputError(str(path), "exists already; name another file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _bytes(path: Path, where: str) -> bytes:
    return bounded.read(path, SIZE_LIMIT, f"{where}, {path}")
