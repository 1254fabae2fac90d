"""What a plan asks of the databases that place addresses; `pipeline.enrich.databases` answers."""

from typing import Protocol

import msgspec

from pipeline.space.caps import Blocks
from pipeline.space.ranges import Ranges


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The databases in use: path (empty for the bundled one, or for none), what they say of themselves, and the SHA-256 of
    their records, hexadecimal."""

    country: str = ""
    country_source: str = ""
    country_digest: str = ""
    asn: str = ""
    asn_source: str = ""
    asn_digest: str = ""


class Atlas(Protocol):
    """Countries and networks of addresses."""

    @property
    def reference(self) -> Reference:
        """Which databases these are."""
        ...

    def named(self, kind: str, value: str, where: str) -> Ranges:
        """The addresses of a `country` or an `asn`. Raises InputError naming `where` if there are none."""
        ...

    def countries(self, ranges: Ranges) -> tuple[tuple[str | None, int], ...]:
        """How many addresses of the set lie in each country, the most first; None is what is not placed."""
        ...

    def networks(self, ranges: Ranges) -> Blocks | None:
        """The autonomous systems that announce the set; None without a network database."""
        ...
