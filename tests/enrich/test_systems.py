"""Systems: which services are one system."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.enrich import systems

Row = tuple[int, int, str | None, str | None]
#: Our own class UID.
OURS = "2.25.1"


def table(rows: list[Row], keys: dict[int, str], asns: dict[int, int]) -> list[tuple[int, int, int]]:
    """The three numbers of each (ip, port, class UID, version name)."""
    columns = ("ip", "port", "implementation_class_uid", "implementation_version_name")
    types = (pa.uint32(), pa.uint16(), pa.string(), pa.string())
    values = list(zip(*rows, strict=True)) if rows else [()] * 4
    associations = pa.table({n: pa.array(v, t) for n, v, t in zip(columns, values, types, strict=True)})
    judged = pa.table(
        {
            "behaviour_rules": pa.array([["b"]] * len(rows), pa.list_(pa.string())),
            "class_uid_reflected": pa.array([row[2] == OURS for row in rows], pa.bool_()),
        }
    )
    ips = sorted({row[0] for row in rows})
    locations = pa.table({"ip": ips, "asn": pa.array([asns.get(ip) for ip in ips], pa.uint32())})
    chain = pa.list_(pa.struct([("spki_sha256", pa.string())]))
    shown = pa.table(
        {
            "ip": pa.array(list(keys), pa.uint32()),
            "chain": pa.array([[{"spki_sha256": k}] for k in keys.values()], chain),
        }
    )
    found = systems.systems(associations, judged, locations, shown)
    assert found.schema.equals(schema.table("systems").arrow)
    return [(r["certain"], r["probable"], r["possible"]) for r in found.to_pylist()]


def test_ports_of_one_address_are_one_system() -> None:
    """Equal addresses are one system by every rule; different addresses alone are not."""
    assert table([(7, 104, None, None), (7, 11112, None, None), (9, 104, None, None)], {}, {}) == [
        (0,) * 3,
        (0,) * 3,
        (1,) * 3,
    ]


def test_a_certificate_key_joins_addresses() -> None:
    """Two addresses with one key are probably one system; by address they are two."""
    rows: list[Row] = [(1, 2762, None, None), (1 << 20, 2762, None, None)]
    assert table(rows, {1: "k", 1 << 20: "k"}, {1: 5, 1 << 20: 6}) == [(0, 0, 0), (1, 0, 0)]


def test_a_key_in_many_networks_joins_nothing() -> None:
    """A key in four networks is a supplier's default; in three it may be one system's."""
    for networks, joined in ((3, True), (4, False)):
        ips = [n << 24 for n in range(1, networks + 1)]
        found = table([(ip, 2762, None, None) for ip in ips], dict.fromkeys(ips, "k"), {ip: ip for ip in ips})
        assert (len({probable for _, probable, _ in found}) == 1) == joined


def test_equal_neighbours_are_possibly_one() -> None:
    """The same identity in one /24 is possibly one system; in another /24, or undeclared, it is not."""
    rows: list[Row] = [
        (256, 104, "1.2", "A"),
        (257, 104, "1.2", "A"),
        (512, 104, "1.2", "A"),
        (258, 104, None, None),
        (259, 104, None, None),
        (260, 104, OURS, "A"),
        (261, 104, OURS, "A"),
    ]
    found = table(rows, {}, {})
    assert [possible for *_, possible in found] == [0, 0, 6, 2, 3, 4, 5] and len(
        {certain for certain, *_ in found}
    ) == 7


def test_no_service() -> None:
    """A sweep without associations has no systems."""
    assert table([], {}, {}) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 15)), max_size=40))
def test_components(pairs: list[tuple[int, int]]) -> None:
    """Two members get one label exactly if a chain of shared marks connects them."""
    found = systems.merge_labels(np.arange(31), np.array(pairs, np.int64).reshape(-1, 2))
    groups = [{n} for n in range(31)]
    for mark in {mark for _, mark in pairs}:
        members = {member for member, m in pairs if m == mark}
        touched = [g for g in groups if g & members]
        groups = [g for g in groups if not g & members] + [set().union(*touched)]
    assert {frozenset(np.flatnonzero(found == label).tolist()) for label in set(found.tolist())} == set(
        map(frozenset, groups)
    )
