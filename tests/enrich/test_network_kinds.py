"""Kinds and sizes of networks, by the intersection of both databases."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.enrich import geo, network_kinds, owner, tables
from pipeline.enrich.announcements import Network, NetworkDatabase
from pipeline.enrich.partition import Partition

FACTS = {"name": "made up", "build_date": "2026-11-01", "sha256": "ab" * 32}
JISC: Network = (786, "Jisc Services Limited")
RECORDS: tuple[Network, ...] = ((None, None), JISC, (5, "Klinikum X"), (6, "AMAZON-02"), (7, "nobody in particular"))
SPACE = 1 << 32

cuts = st.lists(st.integers(0, SPACE), min_size=2, max_size=12, unique=True).map(sorted)


def places(*ranges: tuple[int, int, str]) -> geo.CountryDatabase:
    first, last, country = zip(*ranges, strict=True)
    columns = [pa.array(first, pa.uint32()), pa.array(last, pa.uint32()), pa.array(country)]
    return geo.from_table(pa.table(columns, names=["first", "last", "country"]), FACTS)


def networks(*ranges: tuple[int, int, int]) -> NetworkDatabase:
    first, after, code = zip(*ranges, strict=True)
    partition = Partition.of(np.array(first, np.uint64), np.array(after, np.uint64), np.array(code, np.int32))
    return NetworkDatabase(partition, RECORDS, "made-up-asn")


WORLD = places((0, 99, "GB"), (100, 199, "DE"))
ANNOUNCED = networks((50, 150, 1), (150, 160, 2), (160, 170, 3), (170, 220, 4))
KINDS = network_kinds.load(WORLD, ANNOUNCED, owner.load())


def test_a_rule_of_a_country_holds_there_only() -> None:
    """Jisc's network is a university network in the United Kingdom; where its rule does not apply it is unknown."""
    kind, rule = KINDS.lookup(np.array([60, 120, 155, 165, 175, 10], np.uint32))
    assert kind.to_pylist() == ["university", "unknown", "hospital", "hosting", "unknown", "unknown"]
    assert rule.to_pylist() == ["uk-janet", None, "hospital-network", "cloud", None, None]


def test_networks_have_exact_denominators() -> None:
    """Each network of each country has its addresses of the space, and they add up to it."""
    result = KINDS.coverage(np.array([40, 140], np.uint32), np.array([119, 250], np.uint32))
    assert result.schema.equals(schema.table("network_coverage").arrow)
    rows = {
        (r["country"], r["asn"]): (r["addresses"], r["network_kind"], r["network_confidence"])
        for r in result.to_pylist()
    }
    assert rows == {
        (None, None): (31, "unknown", None), (None, 7): (20, "unknown", None), ("DE", 5): (10, "hospital", "medium"),
        ("DE", 6): (10, "hosting", "weak"), ("DE", 7): (30, "unknown", None), ("DE", 786): (30, "unknown", None),
        ("GB", None): (10, "unknown", None), ("GB", 786): (50, "university", "medium"),
    }  # fmt: skip
    assert sum(size for size, *_ in rows.values()) == 80 + 111


@given(cuts, cuts, st.lists(st.integers(0, SPACE - 1), max_size=30))
def test_a_crossing_keeps_both_records(one: list[int], other: list[int], queried: list[int]) -> None:
    """In the intersection every address has the pair of its records in the two partitions."""
    made = [
        Partition.of(
            np.array(edges[:-1], np.uint64),
            np.array(edges[1:], np.uint64),
            np.arange(1, len(edges), dtype=np.int32) % 3,
        )
        for edges in (one, other)
    ]
    crossed, pairs = made[0].intersect(made[1])
    edges = [min(SPACE - 1, max(0, edge + step)) for edge in (*one, *other) for step in (-1, 0, 1)]
    ips = np.array([*queried, *edges], np.uint32)
    assert np.array_equal(pairs[crossed.at(ips)], np.column_stack([each.at(ips) for each in made]))


def test_located_rows_have_the_kind() -> None:
    """Enriched rows have the network's kind and rule; without a network database both are null."""
    ips = np.array([60, 175], np.uint32)
    result = tables.locations(ips, WORLD, ANNOUNCED, kinds=KINDS).to_pylist()
    assert [(r["network_kind"], r["network_rule"]) for r in result] == [("university", "uk-janet"), ("unknown", None)]
    assert {row["network_kind"] for row in tables.locations(ips, WORLD).to_pylist()} == {None}
