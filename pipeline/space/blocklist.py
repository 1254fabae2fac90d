"""The blocklist: addresses that no sweep probes.

It has two parts, special-purpose blocks (IANA) and our never-touch list. There is one exception: private addresses may be
probed by a plan whose targets all lie in ranges that their owner signed.
"""

import tomllib
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from pipeline import checkout
from pipeline.errors import GuardError, InputError
from pipeline.space import address_list
from pipeline.space.address_list import AddressList, Entry
from pipeline.space.ranges import Ranges
from pipeline.space.signed import SignedRanges, verified
from pipeline.words.plural import plural

SPECIAL_PURPOSE = checkout.REFERENCE / "special-purpose.toml"
NEVER_TOUCH = checkout.REFERENCE / "never-touch.txt"
#: The most addresses of a signed list: those of a /8, the largest block that one owner has.
MOST_OWNED = 1 << 24
#: Private address space (RFC 1918 §3), as the list of special-purpose blocks writes it.
PRIVATE_USE = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"})


def special_purpose(path: Path = SPECIAL_PURPOSE) -> AddressList:
    """The blocks of IANA's registry that are never probed. Raises InputError if the file is broken."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        entries = tuple(
            Entry(
                block["cidr"],
                f"{path.name}, {block['cidr']}",
                block["reason"],
                (address_list.parse(block["cidr"], path.name),),
            )
            for block in data["block"]
        )
        return AddressList(f"special-purpose addresses ({data['source']}, {data['date']})", entries)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(path.name, f"cannot be read: {error}") from None


def never_touch(path: Path = NEVER_TOUCH) -> AddressList:
    """Our own list of addresses that are never probed: one line, one reason. Raises InputError if it is broken."""
    return address_list.read_file(path, name="never-touch list", reasons=True)


def private_use() -> Ranges:
    """The private address space."""
    return Ranges.of([address_list.parse(block, "private use") for block in sorted(PRIVATE_USE)])


def require_ownable(owned: Ranges) -> None:
    """Raise GuardError if a list that is signed has addresses of which nobody who signs is the owner."""
    others = owned.intersect(ranges(None, Ranges.of(())).subtract(private_use()))
    if others.count:
        raise GuardError(
            f"the signed list has {plural(others.count, 'address', 'addresses')} of special-purpose or never-touch blocks, from "
            f"{IPv4Address(int(others.first[0]))} on: only private ones have an owner who can sign; have the owner sign another list"
        )
    if owned.count > MOST_OWNED:
        raise GuardError(
            f"the signed list has {owned.count:,} addresses, more than the {MOST_OWNED:,} of a /8; sign a shorter one"
        )


def lists(signed: SignedRanges | None, targets: Ranges) -> list[AddressList]:
    """The lists that apply to a set of targets. Raises GuardError if the signature of `signed` is wrong."""
    special, never = special_purpose(), never_touch()
    if signed is None or targets.subtract(verified(signed)).count:
        return [special, never]
    public = tuple(entry for entry in special.entries if entry.text not in PRIVATE_USE)
    return [replace(special, name=f"{special.name}, except private use", entries=public), never]


def ranges(signed: SignedRanges | None, targets: Ranges) -> Ranges:
    """The addresses of the lists that apply to a set of targets."""
    return Ranges.union_of(part.ranges for part in lists(signed, targets))
