"""Addresses to countries, by a table of ranges that is flattened once from an mmdb.

A record of the partition is a country; record 0 means that the database has no country for the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import checkout
from pipeline.enrich import range_table
from pipeline.enrich.country_code import normalised
from pipeline.enrich.mmdb import Mmdb, fields
from pipeline.enrich.partition import Addresses, Partition
from pipeline.errors import InputError
from pipeline.space.ranges import Ranges

BUNDLED = checkout.REFERENCE / "country.parquet"
#: A second, independent database: the report shows every count by both.
SECOND = checkout.REFERENCE / "country-second.parquet"
#: Where various makers' records have the code of a country, in the order in which they are tried.
COUNTRY_PLACES = (
    ("country_code",),
    ("country",),
    ("country", "iso_code"),
    ("country", "code"),
    ("geo", "country_code"),
    ("location", "country_code"),
    ("location", "country", "code"),
    ("registered_country", "iso_code"),
)
SCHEMA = pa.schema([*range_table.BOUNDS, pa.field("country", pa.dictionary(pa.int16(), pa.string()), nullable=False)])


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
        return range_table.source({"name": self.name, "build_date": self.build_date.isoformat(), "sha256": self.digest})

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


def flatten(database: Mmdb) -> pa.Table:
    """The IPv4 part of an mmdb as ranges (first, last, country): sorted, disjoint, neighbours merged. Raises InputError."""
    networks = database.networks()
    countries = database.decode(networks.offset, country_of)
    placed = np.array([country is not None for country in countries], np.bool_)
    if not placed.any():
        raise InputError(
            str(database.path),
            f"({database.facts['name']}) places no IPv4 address in a country; name a database of countries or cities",
        )
    names, codes = np.unique([country for country in countries if country], return_inverse=True)
    first, after = networks.first[placed], networks.after[placed]
    begins = np.append(True, (first[1:] != after[:-1]) | (codes[1:] != codes[:-1]))
    ends = np.append(begins[1:], True)
    country = pa.array(names[codes[begins]].tolist()).dictionary_encode()
    columns = [pa.array(first[begins], pa.uint32()), pa.array(after[ends] - np.uint64(1), pa.uint32()), country]
    return pa.table([column.cast(field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def load(path: Path | None = None) -> CountryDatabase:
    """Load a country database: an mmdb, a flattened table, or by default the bundled table. Raises InputError."""
    path = path or BUNDLED
    if not range_table.is_one(path):
        database = Mmdb(path)
        return from_table(flatten(database), database.facts)
    table, facts = range_table.read(path, SCHEMA, "country")
    loaded = from_table(table, facts)
    if loaded.names == (None,):
        raise InputError(str(path), "places no address in a country (ISO 3166-1); name another table")
    return loaded


def from_table(table: pa.Table, facts: Mapping[str, str]) -> CountryDatabase:
    """Make a database of a flattened table; gaps between its ranges, and codes that are no country, have no country."""
    written = table["country"].cast(pa.string()).combine_chunks().dictionary_encode()
    countries = [normalised(code) for code in written.dictionary.to_pylist()]
    names: tuple[str | None, ...] = (None, *dict.fromkeys(filter(None, countries)))
    records = np.array([*map(names.index, countries), 0], np.int32)
    first = table["first"].to_numpy().astype(np.uint64)
    after = table["last"].to_numpy().astype(np.uint64) + np.uint64(1)
    codes = records[written.indices.fill_null(len(countries)).to_numpy()]
    built = date.fromisoformat(facts["build_date"])
    partition = Partition.of(first, after, codes)
    return CountryDatabase(partition, names, name=facts["name"], build_date=built, digest=facts["sha256"])


def country_of(record: Any) -> str | None:
    """The country in a record of any known layout, by its code: where the address is, or else where its holder is registered.

    The first of `COUNTRY_PLACES` that gives a country.
    """
    codes = (normalised(code) for code in fields(record, COUNTRY_PLACES) if isinstance(code, str))
    return next(filter(None, codes), None)
