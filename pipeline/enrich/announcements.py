"""Addresses to networks: the autonomous system that announces an address, by an mmdb or a Parquet table.

A record of the partition is a (number, holder) pair; record 0 means that the database has no network for the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich import range_table
from pipeline.enrich.mmdb import Mmdb, fields
from pipeline.enrich.partition import Addresses, Partition
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

SCHEMA = pa.schema(
    [
        *range_table.BOUNDS,
        pa.field("asn", pa.uint32()),
        pa.field("organisation", pa.dictionary(pa.int32(), pa.string())),
    ]
)
Network = tuple[int | None, str | None]
UNKNOWN: Network = (None, None)

#: Where various makers' records have the number and the holder, in the order in which they are tried.
NUMBER_PLACES = (
    ("autonomous_system_number",),
    ("asn",),
    ("as_number",),
    ("traits", "autonomous_system_number"),
    ("as", "asn"),
    ("asn", "asn"),
    ("connection", "asn"),
)
HOLDER_PLACES = (
    ("autonomous_system_organization",),
    ("as_name",),
    ("name",),
    ("organization",),
    ("org",),
    ("traits", "autonomous_system_organization"),
    ("as", "name"),
    ("asn", "name"),
    ("asn", "org"),
    ("connection", "organization"),
)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkDatabase:
    """A network database: the network of each IPv4 address, and the build it is from."""

    partition: Partition
    records: tuple[Network, ...]
    source: str

    def lookup(self, ips: Addresses) -> tuple[pa.Array, pa.Array]:
        """Number (uint32) and holder (string) of each address's autonomous system; null if the database has none."""
        codes = pa.array(self.partition.at(ips))
        numbers, holders = zip(*self.records, strict=True)
        return pa.array(numbers, pa.uint32()).take(codes), pa.array(holders, pa.string()).take(codes)

    def ranges(self, number: int) -> Ranges:
        """All addresses that an autonomous system announces; empty if the database does not have it."""
        return self.partition.ranges([code for code, (asn, _) in enumerate(self.records) if asn == number])

    def count_addresses(self, first: Addresses, last: Addresses) -> NDArray[np.int64]:
        """How many addresses of sorted, disjoint ranges each autonomous system announces; unordered."""
        counts = self.partition.count_addresses(first, last, len(self.records))
        known = [code for code, (number, _) in enumerate(self.records) if number is not None]
        _, number_index = np.unique([self.records[code][0] for code in known], return_inverse=True)
        return np.bincount(number_index, weights=counts[known]).astype(np.int64)


def load(path: Path) -> NetworkDatabase:
    """Read a whole network database. Raises InputError."""
    if not range_table.is_one(path):
        database = Mmdb(path)
        return from_table(flatten(database), database.facts)
    table, facts = range_table.read(path, SCHEMA, "network")
    if table["asn"].null_count == len(table):
        raise InputError(str(path), "has no AS number; name a table of networks")
    return from_table(table, facts)


def flatten(database: Mmdb) -> pa.Table:
    """The IPv4 part of an mmdb as ranges (first, last, asn, organisation), one a network. Raises InputError."""
    networks = database.networks()
    records = database.decode(networks.offset, network_of)
    known = np.array([record != UNKNOWN for record in records], np.bool_)
    if all(number is None for number, _ in records):
        raise InputError(
            str(database.path),
            f"({database.facts['name']}) has no AS number for any IPv4 address; name a database of networks (ASN)",
        )
    numbers, holders = zip(*(record for record in records if record != UNKNOWN), strict=True)
    bounds = networks.first[known], networks.after[known] - np.uint64(1)
    return pa.table([*(pa.array(bound, pa.uint32()) for bound in bounds), numbers, holders], schema=SCHEMA)


def from_table(table: pa.Table, facts: Mapping[str, str]) -> NetworkDatabase:
    """Make a database of a flattened table; gaps between its ranges have no network."""
    codes: dict[Network, int] = {UNKNOWN: 0}
    networks = zip(table["asn"].to_pylist(), table["organisation"].to_pylist(), strict=True)
    code = np.array([codes.setdefault(network, len(codes)) for network in networks], np.int32)
    first = table["first"].to_numpy().astype(np.uint64)
    after = table["last"].to_numpy().astype(np.uint64) + np.uint64(1)
    return NetworkDatabase(Partition.of(first, after, code), tuple(codes), range_table.source(facts))


def network_of(record: Any) -> Network:
    """Number and holder in a record of any known layout."""
    numbers = (as_number(number) for number in fields(record, NUMBER_PLACES) if not isinstance(number, dict))
    holders = (str(holder) for holder in fields(record, HOLDER_PLACES) if holder and not isinstance(holder, dict))
    return next(filter(None, numbers), None), next(holders, None)


def as_number(value: Any) -> int | None:
    """An AS number, also if written `AS786` or `"786"`; AS 0 announces nothing (RFC 7607)."""
    text = str(value).upper().removeprefix("AS") if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 32 else None
