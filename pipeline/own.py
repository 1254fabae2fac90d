"""Ranges of one's own: a list that its owner signed. Some of what the program can do is done there and nowhere else.

The owner signs the list with an Ed25519 key (RFC 8032), by `make_key` and `sign` or with OpenSSL; the files are the same:

    openssl genpkey -algorithm ed25519 -out owner.key
    openssl pkey -in owner.key -pubout -out owner.pem
    openssl pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig

The plan holds list, signature and public key, so that every worker proves it again before its first packet.
"""

import os
from ipaddress import IPv4Address, summarize_address_range
from itertools import islice
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.config import OwnSection
from pipeline.errors import GuardError, InputError
from pipeline.space import listing
from pipeline.space.ranges import Ranges

#: A list, a signature or a key that is larger is none.
SIZE_LIMIT = 4 << 20
#: So many blocks are named that are not in the list.
NAMED = 5


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A list of ranges as text, the signature over its bytes (hexadecimal), and the owner's public key (PEM)."""

    owner: str
    ranges: str
    signature: str
    public_key: str


def read(section: OwnSection, base: Path) -> Own | None:
    """Read what the configuration names, relative to `base`; None if it names nothing. Raises InputError or GuardError."""
    if section == OwnSection():
        return None
    data = {}
    for key in ("ranges", "signature", "public_key"):
        if not getattr(section, key):
            raise InputError(f"key own.{key}", "is missing; a list of one's own ranges needs list, signature and key")
        data[key] = _bytes(base / getattr(section, key), f"key own.{key}")
    try:
        own = Own(
            owner=section.owner,
            ranges=data["ranges"].decode(),
            signature=data["signature"].hex(),
            public_key=data["public_key"].decode("ascii"),
        )
    except UnicodeDecodeError as error:
        raise InputError("key own", f"holds a file that is no text: {error.reason}") from None
    verified(own)
    return own


def verified(own: Own) -> Ranges:
    """The ranges, if their owner signed them. Raises GuardError if not, InputError if the list cannot be read."""
    try:
        key = load_pem_public_key(own.public_key.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise GuardError("own.public_key is no Ed25519 public key in PEM; `openssl pkey -pubout` writes one")
    try:
        key.verify(bytes.fromhex(own.signature), own.ranges.encode())
    except (InvalidSignature, ValueError):
        raise GuardError(
            "own.signature is not the owner's signature over own.ranges; let the owner sign this list"
        ) from None
    return listing.read("own", own.ranges.splitlines(), "own.ranges").ranges


def require(own: Own | None, targets: Ranges, what: str) -> None:
    """Raise GuardError unless all targets are in signed ranges."""
    if own is None:
        raise GuardError(f"{what} is for one's own ranges only: name the list that their owner signed in section [own]")
    outside = targets.subtract(verified(own))
    if outside.count:
        raise GuardError(
            f"{what} is for one's own ranges only: {outside.count} addresses are not in the signed list "
            f"({_blocks(outside)}); take them out of [targets], or let their owner sign a list that holds them"
        )


def make_key(private: Path, public: Path) -> None:
    """Make an Ed25519 key: `private` (PKCS #8 in PEM, mode 0600) stays with the owner, `public` (PEM) is given away.

    Raises InputError if either file is there already or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if public.exists():
        raise InputError(str(public), "is there already; name another file")
    _create(private, secret, 0o600)
    _create(public, shown, 0o644)


def sign(ranges: Path, private: Path, signature: Path) -> Ranges:
    """Sign a list of ranges and write the signature; returns the ranges. Raises InputError if list or key cannot be read."""
    data, pem = _bytes(ranges, "the list of ranges"), _bytes(private, "the owner's key")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(str(ranges), f"is no text: {error.reason}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(str(private), "is no Ed25519 key in PEM without a password; `census own key` makes one")
    found = listing.read("own", text.splitlines(), str(ranges)).ranges
    if not found.count:
        raise InputError(str(ranges), "names no address")
    try:
        signature.write_bytes(key.sign(data))
    except OSError as error:
        raise InputError(str(signature), f"cannot be written: {error.strerror}") from None
    return found


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise InputError(str(path), "is there already; name another file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _blocks(ranges: Ranges) -> str:
    """The first blocks of a set of addresses, as CIDR."""
    blocks = (str(block) for pair in ranges.pairs() for block in summarize_address_range(*map(IPv4Address, pair)))
    shown = list(islice(blocks, NAMED + 1))
    return ", ".join([*shown[:NAMED], *(["…"] if len(shown) > NAMED else [])])


def _bytes(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise InputError(where, f"{path} cannot be read: {error.strerror}") from None
    if len(data) > SIZE_LIMIT:
        raise InputError(where, f"{path} is larger than {SIZE_LIMIT} bytes")
    return data
