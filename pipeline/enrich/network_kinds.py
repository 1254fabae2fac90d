"""The kinds of networks (hosting, access, university, hospital, government), by rules on their holders' names, and sizes.

A rule may apply in some countries only, so the network and the country database are intersected: a record here is a
(country, network) pair. The sizes are exact, because both databases are flattened whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.enrich.announcements import Network, NetworkDatabase
from pipeline.enrich.geo import CountryDatabase
from pipeline.enrich.owner import UNKNOWN_KIND, OwnerRule, OwnerRules
from pipeline.enrich.partition import Addresses, Partition

CountryNetwork = tuple[str | None, Network]


@dataclass(frozen=True, slots=True, eq=False)
class NetworkKinds:
    """The country and the network of every address, and the rule that decides the network's kind."""

    partition: Partition
    pairs: tuple[CountryNetwork, ...]
    rules: tuple[OwnerRule | None, ...]
    source: str

    def lookup(self, ips: Addresses) -> tuple[pa.Array, pa.Array]:
        """The kind of each address's network, and the id of the rule that decided it (null: no rule matches)."""
        codes = pa.array(self.partition.at(ips))
        return _kinds(self.rules).take(codes), _ids(self.rules).take(codes)

    def coverage(self, first: Addresses, last: Addresses) -> pa.Table:
        """Table `network_coverage`: one row per country and network, with its number of addresses in sorted, disjoint ranges."""
        totals = self.partition.count_addresses(first, last, len(self.pairs))
        inside = sorted(np.flatnonzero(totals).tolist(), key=lambda code: _order(self.pairs[code]))
        rules = [self.rules[code] for code in inside]
        return pa.table(
            {
                "country": pa.array([self.pairs[code][0] for code in inside], pa.string()),
                "asn": pa.array([self.pairs[code][1][0] for code in inside], pa.uint32()),
                "organisation": pa.array([self.pairs[code][1][1] for code in inside], pa.string()),
                "network_kind": _kinds(rules),
                "network_rule": _ids(rules),
                "network_confidence": pa.array([rule.confidence if rule else None for rule in rules], pa.string()),
                "addresses": pa.array(totals[inside], pa.uint64()),
                "asn_source": pa.array([self.source] * len(inside), pa.string()),
            },
            schema=schema.table("network_coverage").arrow,
        )


def load(country_db: CountryDatabase, network_db: NetworkDatabase, rules: OwnerRules) -> NetworkKinds:
    """Intersect the databases, and match the rules once for each network in each of its countries."""

    @cache
    def match(holder: str | None, country: str | None) -> OwnerRule | None:
        return rules.match({"organisation": [holder]}, country) if holder else None

    partition, codes = country_db.partition.intersect(network_db.partition)
    pairs = tuple((country_db.names[place], network_db.records[record]) for place, record in codes.tolist())
    matched = tuple(match(holder, rules.where(country)) for country, (_, holder) in pairs)
    return NetworkKinds(partition, pairs, matched, network_db.source)


def _kinds(rules: Sequence[OwnerRule | None]) -> pa.Array:
    return pa.array([rule.kind if rule else UNKNOWN_KIND for rule in rules], pa.string())


def _ids(rules: Sequence[OwnerRule | None]) -> pa.Array:
    return pa.array([rule.id if rule else None for rule in rules], pa.string())


def _order(pair: CountryNetwork) -> tuple[str, int, str]:
    country, (number, holder) = pair
    return country or "", -1 if number is None else number, holder or ""
