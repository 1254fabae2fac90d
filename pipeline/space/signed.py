"""Ranges of one's own: a list that its owner signed. Some of what the program can do is done there and nowhere else.

The owner signs the list with an Ed25519 key (RFC 8032), by `make_key` and `sign` or with OpenSSL; the files are the same:

    openssl genpkey -algorithm ed25519 -out owner.key
    openssl pkey -in owner.key -pubout -out owner.pem
    openssl pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig

The plan holds list, signature and public key, so that every worker proves it again before its first packet.
"""

from ipaddress import IPv4Address, summarize_address_range
from itertools import islice

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_public_key,
)

from pipeline.errors import GuardError
from pipeline.space import listing
from pipeline.space.ranges import Ranges

#: So many blocks are named that are not in the list.
NAMED = 5


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A list of ranges as text, the signature over its bytes (hexadecimal), and the owner's public key (PEM)."""

    owner: str
    ranges: str
    signature: str
    public_key: str


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


def _blocks(ranges: Ranges) -> str:
    """The first blocks of a set of addresses, as CIDR."""
    blocks = (str(block) for pair in ranges.pairs() for block in summarize_address_range(*map(IPv4Address, pair)))
    shown = list(islice(blocks, NAMED + 1))
    return ", ".join([*shown[:NAMED], *(["…"] if len(shown) > NAMED else [])])
