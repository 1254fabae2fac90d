"""What is never probed, and the one exception: private addresses, in a plan of nothing but what its owner signed for."""

from dataclasses import replace

from pipeline.space import listing
from pipeline.space import signed as owning
from pipeline.space.listing import Listing
from pipeline.space.ranges import Ranges
from pipeline.space.signed import Own

#: Private address space (RFC 1918 §3), as the list of special-purpose blocks writes it.
PRIVATE_USE = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"})


def lists(own: Own | None, targets: Ranges) -> list[Listing]:
    """The lists of what such targets never hold. Raises GuardError if a list of one's own is given that nobody signed."""
    special, never = listing.special_purpose(), listing.never_touch()
    if own is None or targets.subtract(owning.verified(own)).count:
        return [special, never]
    public = tuple(entry for entry in special.entries if entry.text not in PRIVATE_USE)
    return [replace(special, name=f"{special.name}, but for private use", entries=public), never]


def ranges(own: Own | None, targets: Ranges) -> Ranges:
    """The addresses of these lists."""
    return Ranges.union_of(each.ranges for each in lists(own, targets))
