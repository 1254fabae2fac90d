"""The prefixes that are announced in BGP, by CAIDA's Prefix-to-AS mapping: a line has prefix, length and origin.

An origin is an AS number; several origins of a prefix are joined by `_`, and the members of an AS set by `,` (CAIDA, Routeviews
Prefix to AS mappings Dataset).
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

import numpy as np
import pyarrow as pa

from pipeline.enrich import range_table
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

SCHEMA = pa.schema(range_table.BOUNDS)
#: Nobody was assigned more than a /8 (RFC 7020): a shorter prefix is a default route that leaked.
SHORTEST = 8
_ORIGIN = re.compile(r"[0-9]+([_,][0-9]+)*", re.ASCII)


def read(lines: Iterable[str], where: str) -> pa.Table:
    """The announced addresses as a table (first, last), sorted and disjoint. Raises InputError naming the line."""
    announced = Ranges.of(_prefixes(lines, where))
    if not announced.count:
        raise InputError(where, "announces no IPv4 prefix; give a file in CAIDA's pfx2as format")
    return table(announced)


def table(announced: Ranges) -> pa.Table:
    """Announced addresses as a table."""
    return pa.table([pa.array(bound.astype(np.uint32)) for bound in (announced.first, announced.last)], schema=SCHEMA)


def ranges(rows: pa.Table) -> Ranges:
    """The announced addresses of a table."""
    return Ranges.covering(rows["first"].to_numpy().astype(np.int64), rows["last"].to_numpy().astype(np.int64))


def _prefixes(lines: Iterable[str], where: str) -> Iterator[tuple[int, int]]:
    """First and last address of each IPv4 prefix; default routes and IPv6 are skipped."""
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or line.startswith("#") or ":" in fields[0]:
            continue
        try:
            prefix, length, origin = fields
            network = IPv4Network(f"{prefix}/{length}")
        except ValueError as error:
            raise InputError(
                f"{where}, line {number}", f"is not a prefix, its length and its origin: {error}"
            ) from None
        if not _ORIGIN.fullmatch(origin):
            raise InputError(f"{where}, line {number}", f"{origin!r} is not an AS number, or several joined by _ or ,")
        if network.prefixlen >= SHORTEST:
            yield int(network.network_address), int(network.broadcast_address)
