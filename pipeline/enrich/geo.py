"""Addresses to countries, by a table of ranges that is flattened once from an mmdb.

A record of the partition is a country; record 0 means that the database has no country for the address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import checkout
from pipeline.enrich.partition import Addresses, Partition
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

REFERENCE = checkout.REFERENCE
BUNDLED = REFERENCE / "country.parquet"
#: A second, independent database: the report shows every count by both.
SECOND = REFERENCE / "country-second.parquet"
SCHEMA = pa.schema(
    [
        pa.field("first", pa.uint32(), nullable=False),
        pa.field("last", pa.uint32(), nullable=False),
        pa.field("country", pa.dictionary(pa.int16(), pa.string()), nullable=False),
    ]
)

CountryRange = tuple[int, int, str]


@dataclass(frozen=True, slots=True, eq=False)
class CountryDatabase:
    """A country database: the country of each IPv4 address, and the build it is from."""

    partition: Partition
    names: tuple[str | None, ...]
    name: str
    build_date: date
    digest: str

    @property
    def source(self) -> str:
        """Name, build date and digest of the database, as the tables and reports quote it."""
        return f"{self.name}, built {self.build_date.isoformat()}, sha256 {self.digest}"

    def countries(self, ips: Addresses) -> pa.Array:
        """The country of each address; null if the database has none."""
        codes = self.partition.at(ips)
        indices = pa.array(codes, mask=codes == 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(self.names, pa.string())).cast(pa.string())

    def coverage(self, first: Addresses, last: Addresses) -> dict[str | None, int]:
        """How many addresses of sorted, disjoint ranges are in each country; None counts those without a country."""
        totals = self.partition.count_addresses(first, last, len(self.names))
        return {self.names[code]: int(totals[code]) for code in np.flatnonzero(totals)}

    def ranges(self, country: str) -> Ranges:
        """All addresses of a country, by its ISO 3166-1 alpha-2 code; empty if the database does not have it."""
        return self.partition.ranges([self.names.index(country)] if country in self.names else [])


def flatten(mmdb: Path) -> pa.Table:
    """Read the IPv4 part of an mmdb into ranges (first, last, country): sorted, disjoint, neighbours merged."""
    with _open(mmdb) as reader:
        ranges = list(_merged(_networks(reader)))
    first, last, country = zip(*ranges, strict=True) if ranges else ((), (), ())
    columns = [pa.array(first, pa.uint32()), pa.array(last, pa.uint32()), pa.array(country).dictionary_encode()]
    return pa.table([column.cast(field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def describe(mmdb: Path) -> dict[str, str]:
    """Name, build date and digest of an mmdb, as in a table's metadata."""
    with _open(mmdb) as reader:
        metadata = reader.metadata()
    built = datetime.fromtimestamp(metadata.build_epoch, UTC).date()
    digest = sha256(mmdb.read_bytes()).hexdigest()
    return {"name": metadata.database_type, "build_date": built.isoformat(), "sha256": digest}


def save(table: pa.Table, path: Path, facts: Mapping[str, str]) -> None:
    """Write a flattened table; `facts` (name, build_date, sha256 and others) go into the file's metadata."""
    pq.write_table(
        table.replace_schema_metadata({f"geo.{key}": value for key, value in facts.items()}),
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=["country"],
        column_encoding={"first": "DELTA_BINARY_PACKED", "last": "DELTA_BINARY_PACKED"},
        row_group_size=len(table) or 1,
        data_page_size=1 << 24,
        store_schema=True,
    )


def load(path: Path | None = None) -> CountryDatabase:
    """Load a country database: an mmdb, a flattened table, or by default the bundled table. Raises InputError."""
    path = path or BUNDLED
    if path.suffix == ".mmdb":
        return from_table(flatten(path), describe(path))
    table = _read(path)
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    return from_table(table, _facts(path, metadata))


def from_table(table: pa.Table, facts: Mapping[str, str]) -> CountryDatabase:
    """Make a database of a flattened table; gaps between its ranges have no country."""
    country = table["country"].cast(pa.string()).combine_chunks().dictionary_encode()
    first = table["first"].to_numpy().astype(np.uint64)
    after = table["last"].to_numpy().astype(np.uint64) + np.uint64(1)
    partition = Partition.of(first, after, country.indices.to_numpy().astype(np.int32) + np.int32(1))
    names = (None, *country.dictionary.to_pylist())
    built = date.fromisoformat(facts["build_date"])
    return CountryDatabase(partition, names, name=facts["name"], build_date=built, digest=facts["sha256"])


def _open(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except maxminddb.InvalidDatabaseError as error:
        raise InputError(str(path), f"is not an mmdb: {error}") from None


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
        return table.select(SCHEMA.names)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except pa.ArrowException as error:
        raise InputError(str(path), f"is not a Parquet table: {error}") from None
    except KeyError:
        raise InputError(str(path), f"is not a country table: it needs the columns {SCHEMA.names}") from None


def _facts(path: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    try:
        return {key: metadata[f"geo.{key}"] for key in ("name", "build_date", "sha256")}
    except KeyError as error:
        raise InputError(
            str(path), f"does not name its build: {error} is missing in its metadata; make it again from the mmdb"
        ) from None


def _networks(reader: maxminddb.Reader) -> Iterator[CountryRange]:
    """The IPv4 networks that have a country, in order of address; a file with IPv6 has IPv4 first."""
    for network, record in takewhile(lambda item: item[0].version == 4, reader):
        if code := country_of(record):
            yield int(network.network_address), int(network.broadcast_address), code


def country_of(record: Any) -> str | None:
    """The country code in a record of any known layout: `country.iso_code`, or a flat `country_code` or `country`."""
    match record:
        case {"country": {"iso_code": str(code)}} | {"country_code": str(code)} | {"country": str(code)}:
            return code or None
        case _:
            return None


def _merged(ranges: Iterator[CountryRange]) -> Iterator[CountryRange]:
    """Merge adjacent ranges of the same country."""
    current: CountryRange | None = None
    for first, last, country in ranges:
        if current and current[1] + 1 == first and current[2] == country:
            current = (current[0], last, country)
            continue
        if current:
            yield current
        current = (first, last, country)
    if current:
        yield current
