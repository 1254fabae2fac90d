"""What networks are (hosting, access, university, hospital, government), by rules over their holders' names, and how large.

A rule may hold in some countries only, so the network and the country database are crossed: a record here is a (country, network)
pair. The sizes are exact, since both databases are flattened whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.enrich.announcements import Network, Networks
from pipeline.enrich.geo import Places
from pipeline.enrich.owner import UNKNOWN_KIND, Rule, Rules
from pipeline.enrich.partition import Addresses, Partition

Holding = tuple[str | None, Network]


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The country and network of every address together, and the rule that says what the network is."""

    partition: Partition
    holdings: tuple[Holding, ...]
    rules: tuple[Rule | None, ...]
    source: str

    def lookup(self, ips: Addresses) -> tuple[pa.Array, pa.Array]:
        """Kind of each address's network, and id of the rule that says so (null: none fits)."""
        codes = pa.array(self.partition.at(ips))
        return _kinds(self.rules).take(codes), _ids(self.rules).take(codes)

    def coverage(self, first: Addresses, last: Addresses) -> pa.Table:
        """Table `network_coverage`: one row for each country and network of sorted, disjoint ranges, with its addresses."""
        totals = self.partition.weigh(first, last, len(self.holdings))
        inside = sorted(np.flatnonzero(totals).tolist(), key=lambda code: _order(self.holdings[code]))
        told = [self.rules[code] for code in inside]
        return pa.table(
            {
                "country": pa.array([self.holdings[code][0] for code in inside], pa.string()),
                "asn": pa.array([self.holdings[code][1][0] for code in inside], pa.uint32()),
                "organisation": pa.array([self.holdings[code][1][1] for code in inside], pa.string()),
                "network_kind": _kinds(told),
                "network_rule": _ids(told),
                "network_confidence": pa.array([rule.confidence if rule else None for rule in told], pa.string()),
                "addresses": pa.array(totals[inside], pa.uint64()),
                "asn_source": pa.array([self.source] * len(inside), pa.string()),
            },
            schema=schema.table("network_coverage").arrow,
        )


def load(places: Places, networks: Networks, rules: Rules) -> Kinds:
    """Cross the databases and judge each network in each of its countries once."""

    @cache
    def judged(holder: str | None, country: str | None) -> Rule | None:
        return rules.match({"organisation": [holder]}, country) if holder else None

    partition, pairs = places.partition.crossed(networks.partition)
    holdings = tuple((places.names[place], networks.records[record]) for place, record in pairs.tolist())
    told = tuple(judged(holder, rules.where(country)) for country, (_, holder) in holdings)
    return Kinds(partition, holdings, told, networks.source)


def _kinds(rules: Sequence[Rule | None]) -> pa.Array:
    return pa.array([rule.kind if rule else UNKNOWN_KIND for rule in rules], pa.string())


def _ids(rules: Sequence[Rule | None]) -> pa.Array:
    return pa.array([rule.id if rule else None for rule in rules], pa.string())


def _order(holding: Holding) -> tuple[str, int, str]:
    country, (number, holder) = holding
    return country or "", -1 if number is None else number, holder or ""
