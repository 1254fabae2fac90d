"""Addresses to networks."""

from pathlib import Path

import numpy as np
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.enrich import announcements, range_table
from pipeline.enrich.mmdb import Mmdb
from pipeline.errors import InputError

RECORDS = [
    ({"autonomous_system_number": 786, "autonomous_system_organization": "Jisc"}, (786, "Jisc")),
    ({"asn": "AS786", "name": "Jisc"}, (786, "Jisc")),
    ({"asn": "786", "as_name": "Jisc", "name": "ignored"}, (786, "Jisc")),
    ({"asn": "private"}, (None, None)),
    ({"asn": {"asn": 786, "org": "Jisc", "route": "192.0.2.0/24"}}, (786, "Jisc")),
    ({"as": {"asn": "AS786", "name": "Jisc"}, "geo": {"country_code": "GB"}}, (786, "Jisc")),
    ({"traits": {"autonomous_system_number": 786, "autonomous_system_organization": "Jisc"}}, (786, "Jisc")),
    ({"connection": {"asn": 786, "organization": "Jisc"}, "company": {"name": "other"}}, (786, "Jisc")),
    ({"as": "AS786", "name": {"en": "Jisc"}}, (None, None)),
    (None, (None, None)),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_records_of_known_shapes_are_read(record: object, expected: tuple[int | None, str | None]) -> None:
    """Number and holder are read by the keys of various databases; a value that is not a number gives none."""
    assert announcements.network_of(record) == expected


def test_lookup_reads_an_mmdb(tmp_path: Path) -> None:
    """Addresses get the network of the database's record, and the source names the build."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    writer.insert_network(IPSet(["192.0.2.0/24"]), RECORDS[0][0])
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    networks = announcements.load(tmp_path / "asn.mmdb")
    numbers, holders = networks.lookup(np.array([0xC0000201, 0xC0000301], np.uint32))
    assert (numbers.to_pylist(), holders.to_pylist()) == ([786, None], ["Jisc", None])
    assert networks.source.startswith("made-up-asn, built 20")


def test_a_network_is_all_its_announcements(tmp_path: Path) -> None:
    """A number's addresses are those of all its records, whatever their holder; an unknown number has none."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    for block, number, holder in [
        ("192.0.2.0/25", 786, "Jisc"),
        ("192.0.2.128/25", 65536, "Other"),
        ("198.51.100.0/24", 786, "Janet"),
    ]:
        writer.insert_network(IPSet([block]), {"asn": number, "name": holder})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    networks = announcements.load(tmp_path / "asn.mmdb")
    assert networks.ranges(786).pairs() == [(0xC0000200, 0xC000027F), (0xC6336400, 0xC63364FF)]
    assert networks.ranges(1).pairs() == []
    space = np.array([0xC0000200], np.uint32), np.array([0xC63364FF], np.uint32)
    assert sorted(networks.count_addresses(*space).tolist()) == [128, 384]


def test_a_table_gives_the_same_answers_as_its_mmdb(tmp_path: Path) -> None:
    """A network database that is saved as Parquet has the same records, ranges, digest and source as its mmdb."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    for number, block in enumerate(["192.0.2.0/25", "192.0.2.128/25", "198.51.100.0/24"]):
        writer.insert_network(IPSet([block]), {"asn": 786, "name": ["Jisc", "Jisc", "Janet"][number]})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    mmdb = Mmdb(tmp_path / "asn.mmdb")
    range_table.save(announcements.flatten(mmdb), tmp_path / "asn.parquet", mmdb.facts)
    one, other = (announcements.load(tmp_path / f"asn.{kind}") for kind in ("mmdb", "parquet"))
    assert (one.records, one.source) == (other.records, other.source)
    assert one.partition.digest(one.records) == other.partition.digest(other.records)


def test_unreadable_database_is_an_input_error(tmp_path: Path) -> None:
    """A database that is missing or malformed is refused with its path."""
    (tmp_path / "text.mmdb").write_text("no database")
    (tmp_path / "text.csv").write_text("no database")
    for name in ("missing.mmdb", "text.mmdb", "text.csv"):
        with pytest.raises(InputError, match=name):
            announcements.load(tmp_path / name)
