"""What a plan needs from the databases (section `[geo]`); `pipeline.enrich.databases` provides it."""

from typing import Protocol

import msgspec

from pipeline.space.caps import Blocks
from pipeline.space.ranges import Ranges


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The databases in use: path (empty for the bundled one, or for none), name and build as they state them, and the SHA-256
    of their records, hexadecimal."""

    country: str = ""
    country_source: str = ""
    country_digest: str = ""
    asn: str = ""
    asn_source: str = ""
    asn_digest: str = ""
    announced: str = ""
    announced_source: str = ""
    announced_digest: str = ""


class GeoDatabases(Protocol):
    """Countries and networks of addresses."""

    @property
    def reference(self) -> Reference:
        """The versions of the databases."""
        ...

    def named(self, kind: str, value: str, where: str) -> Ranges:
        """The addresses of a `country` or an `asn`, or all `announced` or `unannounced` ones. Raises InputError naming `where`."""
        ...

    def countries(self, ranges: Ranges) -> tuple[tuple[str | None, int], ...]:
        """The number of addresses in each country, largest first; None counts those without a country."""
        ...

    def networks(self, ranges: Ranges) -> Blocks | None:
        """The autonomous systems that announce the set; None without a network database."""
        ...
