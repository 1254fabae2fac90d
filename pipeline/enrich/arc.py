"""Who owns a UID: its registered root, by a small table of arcs of the OID tree. The rest of it becomes a hash.

So implementations that no rule knows can be published and told apart, without a string of a peer's choice.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pipeline.enrich.identity import is_uid, prefixes
from pipeline.errors import InputError

#: Hexadecimal digits of the hash: two in some 65,000 UIDs collide with a chance of a half.
HASH_DIGITS = 8


class Arc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arc, and how many components below it name the owner."""

    prefix: str
    levels: int


def levels(path: Path, arcs: tuple[Arc, ...]) -> Mapping[str, int]:
    """Prefix → number of components of a root, the prefix's own included. Raises InputError."""
    found: dict[str, int] = {}
    for arc in arcs:
        where = f"{path}, arc {arc.prefix!r}"
        if arc.prefix and not is_uid(arc.prefix):
            raise InputError(f"{where}, key prefix", "is not a UID (PS3.5 §9.1)")
        if arc.levels < 0:
            raise InputError(f"{where}, key levels", "must be 0 or more")
        if arc.prefix in found:
            raise InputError(where, "is listed twice; keep one")
        found[arc.prefix] = len(arc.prefix.split(".")) * bool(arc.prefix) + arc.levels
    if "" not in found:
        raise InputError(str(path), 'has no arc with prefix "", which covers all that is not listed; add one')
    return found


def root(uid: str | None, known: Mapping[str, int]) -> str | None:
    """The registered root of a UID; None for what is no UID. A UID is never longer than its own root."""
    if uid is None or not is_uid(uid):
        return None
    size = next((known[prefix] for prefix in prefixes(uid) if prefix in known), known[""])
    return ".".join(uid.split(".")[:size])


def digest(uid: str | None) -> str | None:
    """The first digits of the SHA-256 of a class UID, whatever it is made of."""
    return None if uid is None else hashlib.sha256(uid.encode()).hexdigest()[:HASH_DIGITS]
