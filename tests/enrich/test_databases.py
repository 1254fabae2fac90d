"""The databases as a plan uses them."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.enrich import databases
from pipeline.errors import InputError
from pipeline.space.address_list import parse
from pipeline.space.caps import Blocks
from pipeline.space.ranges import Ranges

UK = Ranges.of([parse("193.62.0.0/16", "here")])


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    writer.insert_network(IPSet(["193.62.0.0/17"]), {"asn": 786, "name": "Jisc"})
    writer.insert_network(IPSet(["193.62.128.0/24"]), {"asn": 64500, "name": "Other"})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    return tmp_path / "asn.mmdb"


def test_names_are_found(networks: Path) -> None:
    """A country and a network give their addresses, in either case of letters."""
    both = databases.load(None, networks)
    assert both.named("asn", "786", "here").count == 1 << 15
    assert both.named("country", "gb", "here").pairs() == both.named("country", "GB", "here").pairs()
    assert both.named("country", "GB", "here").intersect(UK).count == UK.count


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("country", "XX", "has no address"),
        ("country", "England", "not a country code"),
        ("asn", "AS786", "not the number"),
        ("asn", "64511", "has no address"),
    ],
)
def test_unknown_names_are_refused(networks: Path, kind: str, value: str, reason: str) -> None:
    """A name that the database does not have is refused, with the place where it is written."""
    with pytest.raises(InputError, match=f"list, line 7: .*{reason}"):
        databases.load(None, networks).named(kind, value, "list, line 7")


def test_networks_need_a_database() -> None:
    """Without a network database an asn is refused, and the message names the key to set."""
    bare = databases.load(None, None)
    assert bare.networks(UK) is None and bare.reference.asn_digest == ""
    with pytest.raises(InputError, match=r"geo\.asn"):
        bare.named("asn", "786", "here")


def test_counts_of_a_set(networks: Path) -> None:
    """Countries come with the most addresses first, and networks as blocks."""
    both = databases.load(None, networks)
    assert both.countries(UK) == (("GB", 65536),)
    assert both.networks(UK) == Blocks("network", 2, 1 << 15)


def test_digest_changes_with_the_answers(networks: Path, tmp_path: Path) -> None:
    """Two databases with equal records have one digest; one more record gives another."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    writer.insert_network(IPSet(["193.62.0.0/17"]), {"asn": 786, "name": "Jisc"})
    writer.to_db_file(str(tmp_path / "other.mmdb"))
    one, other = databases.load(None, networks), databases.load(None, tmp_path / "other.mmdb")
    assert one.reference.country_digest == other.reference.country_digest
    assert one.reference.asn_digest != other.reference.asn_digest
