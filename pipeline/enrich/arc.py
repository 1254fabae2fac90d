"""The registered root of a UID, by a small table of arcs of the OID tree, and a hash of the whole UID.

With these, implementations that no rule knows can be published and distinguished without any string chosen by a peer.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pipeline.enrich.identity import is_uid, prefixes
from pipeline.errors import InputError

#: Hexadecimal digits of the hash: among about 65,000 UIDs, the chance of a collision is about a half.
HASH_DIGITS = 8


class Arc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arc, and how many components below it identify the owner."""

    prefix: str
    levels: int


def levels(path: Path, arcs: tuple[Arc, ...]) -> Mapping[str, int]:
    """Prefix → number of components of a root, including the prefix. Raises InputError."""
    sizes: dict[str, int] = {}
    for arc in arcs:
        where = f"{path}, arc {arc.prefix!r}"
        if arc.prefix and not is_uid(arc.prefix):
            raise InputError(f"{where}, key prefix", "is not a UID (PS3.5 §9.1)")
        if arc.levels < 0:
            raise InputError(f"{where}, key levels", "must be 0 or more")
        if arc.prefix in sizes:
            raise InputError(where, "is listed twice; keep one")
        sizes[arc.prefix] = len(arc.prefix.split(".")) * bool(arc.prefix) + arc.levels
    if "" not in sizes:
        raise InputError(str(path), 'has no arc with prefix "", which covers all UIDs under no listed arc; add one')
    return sizes


def root(uid: str | None, sizes: Mapping[str, int]) -> str | None:
    """The registered root of a UID; None for a text that is not a UID. A short UID is its own root."""
    if uid is None or not is_uid(uid):
        return None
    size = next((sizes[prefix] for prefix in prefixes(uid) if prefix in sizes), sizes[""])
    return ".".join(uid.split(".")[:size])


def digest(uid: str | None) -> str | None:
    """The first digits of the SHA-256 of a class UID, valid or not."""
    return None if uid is None else hashlib.sha256(uid.encode()).hexdigest()[:HASH_DIGITS]
