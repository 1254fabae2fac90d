"""Signed ranges: a list of addresses that its owner signed. Some features work only there (docs/own-ranges.md).

The owner signs the list with an Ed25519 key (RFC 8032), using `census own` or OpenSSL; the files are the same:

    openssl genpkey -algorithm ed25519 -out owner.key
    openssl pkey -in owner.key -pubout -out owner.pem
    openssl pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig

The plan contains list, signature and public key, so that every worker checks them again before its first packet.
"""

from ipaddress import IPv4Address, summarize_address_range
from itertools import islice

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pipeline.errors import GuardError
from pipeline.space import address_list
from pipeline.space.ranges import Ranges
from pipeline.words.plural import plural

#: The number of unsigned blocks that an error names.
NAMED = 5


class SignedRanges(msgspec.Struct, frozen=True, kw_only=True):
    """A list of ranges as text, the signature over its bytes (hexadecimal), and the owner's public key (PEM)."""

    owner: str
    ranges: str
    signature: str
    public_key: str


def verified(signed: SignedRanges) -> Ranges:
    """Check the signature and return the ranges. Raises GuardError if it is wrong, InputError if the list cannot be read."""
    try:
        key = load_pem_public_key(signed.public_key.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise GuardError("own.public_key is not an Ed25519 public key in PEM; `openssl pkey -pubout` writes one")
    try:
        key.verify(bytes.fromhex(signed.signature), signed.ranges.encode())
    except (InvalidSignature, ValueError):
        raise GuardError(
            "own.signature is not the owner's signature over own.ranges; have the owner sign this list"
        ) from None
    return address_list.read("own", address_list.lines(signed.ranges), "own.ranges").ranges


def require(signed: SignedRanges | None, targets: Ranges, feature: str) -> None:
    """Raise GuardError unless all targets are in signed ranges; `feature` names what needs it."""
    if signed is None:
        raise GuardError(f"{feature} is for signed ranges only; name the list that their owner signed in section [own]")
    outside = targets.subtract(verified(signed))
    if outside.count:
        raise GuardError(
            f"{feature} is for signed ranges only; {plural(outside.count, 'address is', 'addresses are')} not in the signed list "
            f"({_blocks(outside)}); take them out of [targets], or have their owner sign a list that includes them"
        )


def _blocks(ranges: Ranges) -> str:
    """The first blocks of a set of addresses, as CIDR."""
    blocks = (str(block) for pair in ranges.pairs() for block in summarize_address_range(*map(IPv4Address, pair)))
    shown = list(islice(blocks, NAMED + 1))
    return ", ".join([*shown[:NAMED], *(["…"] if len(shown) > NAMED else [])])
