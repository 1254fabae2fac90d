"""Whatever an mmdb holds gives its networks, or one error."""

from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.enrich import announcements, geo
from pipeline.enrich.mmdb import Mmdb, children
from pipeline.errors import InputError

GB = {"country": {"iso_code": "GB"}}
NETWORK = {"autonomous_system_number": 786, "autonomous_system_organization": "Jisc"}
READERS: dict[str, Callable[[Path], object]] = {"geo.country": geo.load, "geo.asn": announcements.load}

networks = st.dictionaries(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)).map(
        lambda pair: IPv4Network((pair[0] >> (32 - pair[1]) << (32 - pair[1]), pair[1]))
    ),
    st.integers(0, 9),
    min_size=1,
    max_size=12,
)


def write(path: Path, records: dict[str, Any], version: int = 4) -> Path:
    writer = MMDBWriter(ip_version=version, database_type="made-up", ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@given(networks, st.sampled_from([4, 6]))
def test_networks_are_those_of_the_library(
    tmp_path_factory: pytest.TempPathFactory, records: dict[IPv4Network, int], version: int
) -> None:
    """Networks and records are those that maxminddb's own iteration gives, from files with and without IPv6."""
    path = write(
        tmp_path_factory.mktemp("mmdb") / "a.mmdb",
        {str(net): {"n": number} for net, number in records.items()},
        version,
    )
    database = Mmdb(path)
    read = database.networks()
    numbers = database.decode(read.offset, lambda record: record["n"])
    with maxminddb.open_database(path) as reader:
        expected = [(int(net[0]), int(net[-1]) + 1, record["n"]) for net, record in reader if net.version == 4]
    assert list(zip(read.first.tolist(), read.after.tolist(), numbers, strict=True)) == expected


def test_a_file_without_ipv4_is_refused(tmp_path: Path) -> None:
    """A database of IPv6 alone says what it lacks, whatever it was named for."""
    for record, load in ((GB, geo.load), (NETWORK, announcements.load)):
        writer = MMDBWriter(ip_version=6, database_type="made-up")
        writer.insert_network(IPSet(["2001:db8::/32"]), record)
        writer.to_db_file(str(tmp_path / "six.mmdb"))
        with pytest.raises(InputError, match=r"six\.mmdb: has no IPv4 networks"):
            load(tmp_path / "six.mmdb")


@pytest.mark.parametrize(
    ("kind", "record", "reason"),
    [
        ("geo.country", NETWORK, "places no IPv4 address in a country"),
        ("geo.country", {"continent": {"code": "EU"}}, "places no IPv4 address in a country"),
        ("geo.asn", GB, "has no AS number for any IPv4 address"),
        ("geo.asn", {"organization": "Jisc"}, "has no AS number for any IPv4 address"),
    ],
)
def test_a_database_of_another_kind_is_refused(tmp_path: Path, kind: str, record: Any, reason: str) -> None:
    """A database that can answer nothing of what is asked names itself and what would be right."""
    with pytest.raises(InputError, match=rf"other\.mmdb: \(made-up\) {reason}.*; name a database of"):
        READERS[kind](write(tmp_path / "other.mmdb", {"192.0.2.0/24": record}))


@given(
    st.sampled_from(sorted(READERS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
)
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, changes: list[tuple[float, int]], cut: float
) -> None:
    """Any bytes, changed or cut anywhere, give a database or an InputError that names the file; nothing else, and no end."""
    path = tmp_path_factory.mktemp("mmdb") / "damaged.mmdb"
    write(path, {f"81.{number}.0.0/16": GB | NETWORK | {"n": number % 3} for number in range(20)}, version=6)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[int(place * len(data))] = value
    path.write_bytes(data[: len(data) if cut > 0.5 else int(2 * cut * len(data))])
    try:
        READERS[kind](path)
    except InputError as error:
        assert error.where == str(path)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("node", [0, 1])
def test_a_tree_that_leads_back_is_refused(tmp_path: Path, kind: str, node: int) -> None:
    """A tree whose nodes all lead to one of them has no end, and is refused as damaged; nobody follows it until memory is used up."""
    path = write(tmp_path / "round.mmdb", {f"81.{number}.0.0/16": GB | NETWORK | {"n": number} for number in range(4)})
    with maxminddb.open_database(path) as reader:
        about = reader.metadata()
    record = node.to_bytes(about.record_size // 8, "big")
    path.write_bytes(record * 2 * about.node_count + path.read_bytes()[len(record) * 2 * about.node_count :])
    with pytest.raises(InputError, match=r"round\.mmdb"):
        READERS[kind](path)


@pytest.mark.parametrize(
    ("node", "left", "right"),
    [
        ("010203 040506", 0x010203, 0x040506),
        ("010203 ab 040506", 0xA010203, 0xB040506),
        ("00010203 ff040506", 0x010203, 0xFF040506),
    ],
)
def test_records_of_each_size_are_read(node: str, left: int, right: int) -> None:
    """Nodes with records of 24, 28 and 32 bits give both; in a node of 28, the middle byte has the upper bits of each."""
    assert children(np.frombuffer(bytes.fromhex(node), np.uint8)[None]).tolist() == [[left, right]]
