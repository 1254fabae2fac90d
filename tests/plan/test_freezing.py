"""Freezing a configuration: targets, sample and rate."""

from pathlib import Path

import numpy as np
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pipeline.config.sections import CapsSection
from pipeline.console import plan_summary
from pipeline.enrich import databases
from pipeline.enrich.databases import InstalledDatabases
from pipeline.errors import InputError
from pipeline.space import blocklist
from pipeline.space.address_list import parse
from pipeline.space.ranges import Ranges
from tests.plan.frozen import EXCLUDE, freeze


def test_a_cap_lowers_the_rate() -> None:
    """A rate that would break a cap is lowered, the plan names the cap, and the expected load is below the cap."""
    wide = ("20.0.0.0/12",)
    capped = freeze(include=wide, caps=CapsSection(per_slash24_hour=60), rate=1000)
    free = freeze(include=wide, rate=1000)
    assert (free.settings.rate, free.pace.lowered_by) == (1000, "") and free.pace.per_slash24_hour > 60
    assert 1 <= capped.settings.rate < 1000 and capped.pace.requested == 1000
    assert capped.pace.lowered_by == "caps.per_slash24_hour = 60"
    assert capped.pace.per_slash24_hour < 60


def test_caps_of_a_24_and_of_a_network_hold(tmp_path: Path) -> None:
    """With both caps the stricter cap sets the rate, and in every hour of the walk neither /24 nor network gets more."""
    writer = MMDBWriter(ip_version=4, database_type="made-up-asn")
    writer.insert_network(IPSet(["193.62.0.0/20"]), {"asn": 786, "name": "Jisc"})
    writer.to_db_file(str(tmp_path / "asn.mmdb"))
    both = databases.load(None, tmp_path / "asn.mmdb")
    caps = CapsSection(per_slash24_hour=400, per_network_hour=2000)
    plan = freeze(include=("asn:786", "20.0.0.0/16"), exclude=(), rate=1000, caps=caps, places=both)
    assert plan.pace.lowered_by == "caps.per_network_hour = 2000" and plan.settings.rate < plan.pace.requested
    walk, hour = plan.walk(), plan.settings.rate * 3600
    lengths = [(last - first) * len(walk.ports) for first, last in map(walk.bounds, range(walk.shards))]
    order = np.concatenate([walk.targets(shard, 0, length)[0] for shard, length in enumerate(lengths)])
    janet = Ranges.of([parse("193.62.0.0/20", "here")])
    for begin in range(0, len(order), hour):
        sent = order[begin : begin + hour]
        assert janet.contains(sent).sum() <= 2000
        assert np.unique(sent >> 8, return_counts=True)[1].max() <= 400


@pytest.fixture
def announced(tmp_path: Path) -> InstalledDatabases:
    """A table that announces the second half of 20.0.0.0/24, and 193.62.0.0/16."""
    table = tmp_path / "routeviews-rv2-20261128-1200.pfx2as"
    table.write_text("20.0.0.128\t25\t64500_64501\n193.62.0.0\t16\t786\n")
    return databases.load(None, None, table)


def test_only_announced_space_is_probed(announced: InstalledDatabases) -> None:
    """`announced` is the announced space without what is never probed; its date and digest are in the plan."""
    plan = freeze(include=("announced",), exclude=(), places=announced)
    assert plan.ranges == ((0x14000080, 0x140000FF), (0xC13E0000, 0xC13EFFFF))
    assert dict(plan.countries) == {"GB": 128 + (1 << 16)}
    assert plan.reference.announced_source.startswith("routeviews-rv2-20261128-1200.pfx2as, built 2026-11-28, sha256 ")
    assert plan.reference.announced_digest == Ranges.of(plan.ranges).digest
    page = dict(plan_summary.rows(plan))
    assert page["announced prefixes"] == plan.reference.announced_source
    assert "announced prefixes" not in dict(plan_summary.rows(freeze()))


def test_unannounced_space_can_be_left_out(announced: InstalledDatabases) -> None:
    """Excluding `unannounced` leaves the announced part of what is included: out of targets, shards and denominators."""
    plan = freeze(include=("country:GB", "20.0.0.0/24"), exclude=("unannounced",), places=announced)
    assert plan.ranges == ((0x14000080, 0x140000FF), (0xC13E0000, 0xC13EFFFF)) and plan.addresses == 128 + (1 << 16)


@pytest.mark.parametrize("entry", ["announced", "unannounced"])
def test_announced_space_needs_a_table(entry: str) -> None:
    """Without a table the entry is refused, and the message names the key to set."""
    with pytest.raises(InputError, match=r"targets\.include\[0\]: (un)?announced needs a table.*key geo\.announced"):
        freeze(include=(entry,))


def test_an_impossible_cap_is_refused() -> None:
    """A cap that one probe a second would break is refused with its key."""
    with pytest.raises(InputError, match=r"key caps\.per_slash24_hour: 5 probes"):
        freeze(caps=CapsSection(per_slash24_hour=5))


def test_countries_add_up() -> None:
    """The countries of a plan add up to its target space."""
    plan = freeze(include=("193.60.0.0/14", "20.0.0.0/16"), exclude=())
    assert dict(plan.countries)["GB"] > 0
    assert sum(addresses for _, addresses in plan.countries) == plan.addresses


def test_excluded_is_never_emitted() -> None:
    """No target of any shard is excluded or special-purpose, and all other targets are included."""
    plan = freeze()
    walk = plan.walk()
    emitted = np.concatenate(
        [
            walk.targets(shard, part.first_index, part.last_index + 1)[0]
            for shard in range(walk.shards)
            for part in walk.ranges(shard)
        ]
    )
    assert not Ranges.of([parse(block, "here") for block in EXCLUDE]).contains(emitted).any()
    assert not blocklist.special_purpose().ranges.contains(emitted).any()
    assert plan.addresses == 192 + 6
    assert len(emitted) == plan.targets == 2 * plan.addresses


@pytest.mark.parametrize(
    ("include", "lists"),
    [
        (("10.0.0.0/8",), r"all 16,777,216 addresses are excluded by .*special-purpose.* \(16,777,216\)"),
        (("20.0.0.64/26",), r"all 64 addresses are excluded by .* \(64\)"),
        (("192.0.2.0/24", "20.0.0.64"), r"all 257 addresses are excluded by .*special-purpose.* \(256\), .* \(1\)"),
    ],
)
def test_nothing_left(include: tuple[str, ...], lists: str) -> None:
    """A configuration whose targets are all excluded is refused, and the lists that exclude them are named."""
    with pytest.raises(InputError, match=f"nothing is left to probe: {lists}"):
        freeze(include=include)


@pytest.mark.parametrize(("sample", "addresses"), [(1.0, 198), (0.5, 99), (0.01, 2), (1, 1), (198, 198)])
def test_sample(sample: float | int, addresses: int) -> None:
    """A share is rounded to whole addresses and a number is taken as it is."""
    assert freeze(sample=sample).sampled_addresses == addresses


def test_files_without_an_address_are_refused(tmp_path: Path) -> None:
    """Target files with only comments get a different error from a space that the exclusions emptied."""
    (tmp_path / "none.txt").write_text("# nobody yet\n")
    with pytest.raises(InputError, match="key targets: names no IPv4 address; add"):
        freeze(include=(), include_files=(str(tmp_path / "none.txt"),))


@pytest.mark.parametrize("sample", [0, 199, 0.001, -1])
def test_sample_bounds(sample: float | int) -> None:
    """A sample of no address, or of more addresses than there are, is refused."""
    with pytest.raises(InputError, match=r"sweep\.sample: gives"):
        freeze(sample=sample)


def test_our_own_list_is_never_probed() -> None:
    """Addresses on the never-touch list are removed from every plan, and the plan counts them."""
    plan = freeze(include=("198.41.0.0/24",), exclude=())
    assert plan.addresses == 255
    assert ("never-touch list", 1) in [(part.name, part.addresses) for part in plan.excluded]


def test_overlapping_targets_are_probed_once(tmp_path: Path) -> None:
    """Targets are the union of all entries, of keys and files; the plan counts what was named again, and skipped IPv6 entries."""
    (tmp_path / "more.txt").write_text("20.0.0.128-20.0.1.127\n2001:db8::/32\n20.0.0.7\n[2001:db8::1] ; masscan\n")
    plan = freeze(include=("20.0.0.0/24", "20.0.0.7"), include_files=(str(tmp_path / "more.txt"),), exclude=())
    assert plan.ranges == ((20 << 24, (20 << 24) + 256 + 127),)
    assert [(part.name, part.addresses, part.ipv6) for part in plan.included] == [
        ("targets.include", 257, 0),
        ("more.txt", 257, 2),
    ]
    assert plan.included_again == 1 + 128 + 1


def test_a_list_of_ipv6_alone_is_refused(tmp_path: Path) -> None:
    """Targets that are all IPv6 are refused with their number."""
    (tmp_path / "six.txt").write_text("2001:db8::1\n::/0\n")
    with pytest.raises(InputError, match=r"names no IPv4 address \(IPv6 entries skipped: 2\)"):
        freeze(include=(), include_files=(str(tmp_path / "six.txt"),))


def test_countries_as_targets() -> None:
    """A country set has all addresses of the country except the blocklist."""
    plan = freeze(include=("country:GB",), exclude=())
    assert plan.countries == (("GB", plan.addresses),) and plan.addresses > 10**7
