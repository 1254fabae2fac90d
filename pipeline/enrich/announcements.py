"""Addresses to networks: the autonomous system that announces an address, by an mmdb file of the user's choice.

A record of the partition is a (number, holder) pair; record 0 means that the database has no network for the address.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.partition import Addresses, Partition
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

Network = tuple[int | None, str | None]
UNKNOWN: Network = (None, None)

#: Keys of the number and of the holder in various databases, in the order in which they are tried.
NUMBER_KEYS = ("autonomous_system_number", "asn", "as_number")
HOLDER_KEYS = ("autonomous_system_organization", "as_name", "name", "organization", "org")


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
    try:
        with maxminddb.open_database(path) as reader:
            metadata = reader.metadata()
            records, first, after, codes = _flatten(reader)
        digest = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except maxminddb.InvalidDatabaseError as error:
        raise InputError(str(path), f"is not an mmdb: {error}") from None
    built = datetime.fromtimestamp(metadata.build_epoch, UTC).date()
    source = f"{metadata.database_type}, built {built.isoformat()}, sha256 {digest}"
    return NetworkDatabase(Partition.of(first, after, codes), records, source)


def _flatten(
    reader: maxminddb.Reader,
) -> tuple[tuple[Network, ...], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int32]]:
    """The records; then first address, address after the last, and record of each range, in order of address."""
    codes: dict[Network, int] = {UNKNOWN: 0}
    rows = [(first, after, codes.setdefault(record, len(codes))) for first, after, record in _announced(reader)]
    first, after, code = np.array(rows, np.uint64).reshape(-1, 3).T
    return tuple(codes), first, after, code.astype(np.int32)


def _announced(reader: maxminddb.Reader) -> Iterator[tuple[int, int, Network]]:
    """The IPv4 networks that have a record; a file with IPv6 has IPv4 first."""
    for network, record in takewhile(lambda item: item[0].version == 4, reader):
        if (network_record := network_of(record)) != UNKNOWN:
            yield int(network.network_address), int(network.broadcast_address) + 1, network_record


def network_of(record: Any) -> Network:
    """Number and holder in a record of any known layout."""
    if not isinstance(record, dict):
        return UNKNOWN
    number = next((record[key] for key in NUMBER_KEYS if record.get(key)), None)
    holder = next((record[key] for key in HOLDER_KEYS if record.get(key)), None)
    return _number(number), str(holder) if holder else None


def _number(value: Any) -> int | None:
    """An AS number, also if written `AS786` or `"786"`."""
    text = str(value).upper().removeprefix("AS") if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and int(text) < 1 << 32 else None
