"""The databases of countries, networks and announced prefixes together, as a plan uses them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.enrich import announcements, database_file, geo, prefix_table, range_table
from pipeline.enrich.announcements import NetworkDatabase
from pipeline.enrich.country_code import MISTAKEN
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.enrich.geo import CountryDatabase
from pipeline.errors import InputError
from pipeline.space.address_list import WITHOUT_VALUE
from pipeline.space.caps import Blocks
from pipeline.space.geo_databases import Reference
from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True, eq=False)
class InstalledDatabases:
    """The databases of countries, networks and announced prefixes; the last two are None if none is named."""

    country_db: CountryDatabase
    network_db: NetworkDatabase | None
    reference: Reference
    announced: Ranges | None = None

    def named(self, kind: str, value: str, where: str) -> Ranges:
        """The addresses of a `country` (ISO 3166-1 alpha-2) or an `asn` (number), all `announced` or `unannounced`.

        Raises InputError if there are none.
        """
        if kind in WITHOUT_VALUE:
            return self._announced(kind, where)
        addresses = self._country(value, where) if kind == "country" else self._network(value, where)
        if not addresses.count:
            raise InputError(where, f"{kind}:{value} has no address in the database ({self._source(kind)})")
        return addresses

    def countries(self, ranges: Ranges) -> tuple[tuple[str | None, int], ...]:
        """How many addresses of the set are in each country, most first; None counts those without a country."""
        counted = self.country_db.coverage(ranges.first.astype(np.uint32), ranges.last.astype(np.uint32))
        return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0] or "")))

    def networks(self, ranges: Ranges) -> Blocks | None:
        """The autonomous systems that announce the set; None without a network database."""
        if self.network_db is None:
            return None
        weights = self.network_db.count_addresses(ranges.first.astype(np.uint32), ranges.last.astype(np.uint32))
        return Blocks("network", int((weights > 0).sum()), int(weights.max(initial=0)))

    def _country(self, value: str, where: str) -> Ranges:
        if len(value) != 2 or not value.isalpha():
            raise InputError(
                where, f"country:{value} is not a country code of two letters (ISO 3166-1); write e.g. country:GB"
            )
        if instead := MISTAKEN.get(value.upper()):
            raise InputError(where, f"country:{value} is not a code of ISO 3166-1; write country:{instead}")
        return self.country_db.ranges(value.upper())

    def _network(self, value: str, where: str) -> Ranges:
        if not value.isascii() or not value.isdigit():
            raise InputError(where, f"asn:{value} is not the number of an autonomous system; write e.g. asn:786")
        if self.network_db is None:
            raise InputError(where, f"asn:{value} needs a network database; name one in key geo.asn")
        return self.network_db.ranges(int(value))

    def _announced(self, kind: str, where: str) -> Ranges:
        if self.announced is None:
            raise InputError(where, f"{kind} needs a table of announced prefixes; name one in key geo.announced")
        return self.announced if kind == "announced" else self.announced.complement()

    def _source(self, kind: str) -> str:
        return self.reference.country_source if kind == "country" else self.reference.asn_source


def load(country: Path | None, asn: Path | None, announced: Path | None = None) -> InstalledDatabases:
    """Load the databases. Without a path, countries are the bundled table, and there is none of the others. Raises InputError."""
    country_db = geo.load(country)
    network_db = announcements.load(asn) if asn else None
    prefixes, source = _prefixes(announced) if announced else (None, "")
    reference = Reference(
        country=str(country or ""),
        country_source=country_db.source,
        country_digest=country_db.partition.digest(country_db.names),
        asn=str(asn or ""),
        asn_source=network_db.source if network_db else "",
        asn_digest=network_db.partition.digest(network_db.records) if network_db else "",
        announced=str(announced or ""),
        announced_source=source,
        announced_digest=prefixes.digest if prefixes else "",
    )
    return InstalledDatabases(country_db, network_db, reference, prefixes)


def _prefixes(path: Path) -> tuple[Ranges, str]:
    """The announced addresses, and what the table says of itself."""
    table, facts = database_file.read(path, DatabaseKind.ANNOUNCED)
    return prefix_table.ranges(table), range_table.source(facts)
