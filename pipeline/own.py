"""Ranges of one's own: a list that its owner signed. Some of what the program can do is done there and nowhere else.

The owner signs the list with an Ed25519 key (RFC 8032), e.g. with OpenSSL:

    openssl genpkey -algorithm ed25519 -out owner.key
    openssl pkey -in owner.key -pubout -out owner.pem
    openssl pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig

The plan holds list, signature and public key, so that every worker proves it again before its first packet.
"""

from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pipeline.config import OwnSection
from pipeline.errors import GuardError, InputError
from pipeline.space import listing
from pipeline.space.ranges import Ranges

#: A list, a signature or a key that is larger is none.
SIZE_LIMIT = 4 << 20


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
        raise GuardError(f"{what} is for one's own ranges only: {outside.count} targets are not in the signed list")


def _bytes(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise InputError(where, f"{path} cannot be read: {error.strerror}") from None
    if len(data) > SIZE_LIMIT:
        raise InputError(where, f"{path} is larger than {SIZE_LIMIT} bytes")
    return data
