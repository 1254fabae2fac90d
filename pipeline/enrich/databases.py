"""The country and the network database together, as a plan asks them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.enrich import announcements, geo
from pipeline.enrich.announcements import Networks
from pipeline.enrich.geo import Places
from pipeline.errors import InputError
from pipeline.space.caps import Blocks
from pipeline.space.geo_databases import Reference
from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Countries and networks of addresses; without a network database, `networks` is None."""

    places: Places
    announced: Networks | None
    reference: Reference

    def named(self, kind: str, value: str, where: str) -> Ranges:
        """The addresses of a `country` (ISO 3166-1 alpha-2) or an `asn` (number). Raises InputError."""
        found = self._country(value, where) if kind == "country" else self._network(value, where)
        if not found.count:
            raise InputError(where, f"{kind}:{value} has no address in the database ({self._source(kind)})")
        return found

    def countries(self, ranges: Ranges) -> tuple[tuple[str | None, int], ...]:
        """How many addresses of the set lie in each country, the most first; None is what is not placed."""
        counted = self.places.coverage(ranges.first.astype(np.uint32), ranges.last.astype(np.uint32))
        return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0] or "")))

    def networks(self, ranges: Ranges) -> Blocks | None:
        """The autonomous systems that announce the set; None without a network database."""
        if self.announced is None:
            return None
        weights = self.announced.weigh(ranges.first.astype(np.uint32), ranges.last.astype(np.uint32))
        return Blocks("network", int((weights > 0).sum()), int(weights.max(initial=0)))

    def _country(self, value: str, where: str) -> Ranges:
        if len(value) != 2 or not value.isalpha():
            raise InputError(
                where, f"country:{value} is not a country code of two letters (ISO 3166-1); write e.g. country:GB"
            )
        return self.places.ranges(value.upper())

    def _network(self, value: str, where: str) -> Ranges:
        if not value.isascii() or not value.isdigit():
            raise InputError(where, f"asn:{value} is not the number of an autonomous system; write e.g. asn:786")
        if self.announced is None:
            raise InputError(where, f"asn:{value} needs a network database; name an mmdb in key geo.asn")
        return self.announced.ranges(int(value))

    def _source(self, kind: str) -> str:
        return self.reference.country_source if kind == "country" else self.reference.asn_source


def load(country: Path | None, asn: Path | None) -> Atlas:
    """Load both databases: the bundled country table without a path, no networks without one. Raises InputError."""
    places = geo.load(country)
    announced = announcements.load(asn) if asn else None
    reference = Reference(
        country=str(country or ""),
        country_source=places.source,
        country_digest=places.partition.digest(places.names),
        asn=str(asn or ""),
        asn_source=announced.source if announced else "",
        asn_digest=announced.partition.digest(announced.records) if announced else "",
    )
    return Atlas(places, announced, reference)
