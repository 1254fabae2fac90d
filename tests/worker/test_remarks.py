"""What people are told of a vantage behind a NAT, before a sweep."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import local
from pipeline.errors import GuardError, InputError
from pipeline.guard import nat
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze
from pipeline.worker import remarks
from tests.testbed.networks import Network, two_uplinks

SWEEP = """
sweep = {{ name = "nat", ports = [104], seed = 1, rate = {rate} }}
targets = {{ include = ["11.0.0.0/8"] }}
identity = {{ strict = {strict} }}
probe = {{ engine = "{engine}" }}
"""


@pytest.fixture
def vantage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A vantage with a private address."""
    monkeypatch.delenv(local.PUBLIC_ADDRESS, raising=False)
    with two_uplinks() as made:
        made.send_from("vantage", tmp_path, monkeypatch)
        yield made


def plan_of(folder: Path, **changes: Any) -> Plan:
    (folder / "sweep.toml").write_text(SWEEP.format(**{"rate": 10_000, "engine": "ring", "strict": "false"} | changes))
    return freeze.freeze(folder / "sweep.toml", folder / "lake")


def test_a_private_source(vantage: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private source is named with the variable that gives the public one; a strict plan is refused until it is given."""
    (unnamed, crowded, *_) = remarks.remarks(plan_of(tmp_path))
    assert unnamed.startswith("10.1.0.5 is a private address") and "export CENSUS_PUBLIC_ADDRESS=" in unnamed
    assert "its table needs 1,200,000 entries at 10,000 probes/s, if it keeps each SYN for 120 s" in crowded
    with pytest.raises(GuardError, match="identity.strict is set: 10.1.0.5 is a private address"):
        list(freeze.warnings(plan_of(tmp_path, strict="true"), print))
    assert remarks.published(plan_of(tmp_path)) == []
    monkeypatch.setenv(local.PUBLIC_ADDRESS, "20.9.9.9")
    assert remarks.published(plan_of(tmp_path)) == ["20.9.9.9"]
    assert list(remarks.unnamed(plan_of(tmp_path))) == []
    assert len([*freeze.warnings(plan_of(tmp_path, strict="true"), print)]) == len(
        [*remarks.crowded(plan_of(tmp_path))]
    )


def test_a_public_source(vantage: Network, tmp_path: Path) -> None:
    """A vantage with a public address of its own has nothing to be told of a NAT."""
    vantage.ip("vantage", "address add 20.1.0.5/32 dev lo", "route replace default via 10.1.0.1 dev m0 src 20.1.0.5")
    assert list(remarks.remarks(plan_of(tmp_path))) == []


def test_this_machine_tracks_connections(vantage: Network, tmp_path: Path) -> None:
    """If this machine's own table is too small, that is said with the rate that it carries: behind a NAT, and with `connect`."""
    capacity = nat.capacity()
    if capacity is None:
        pytest.skip("this kernel tracks no connections")
    plan = plan_of(tmp_path, rate=200_000, engine="connect")
    text = list(remarks.crowded(plan))[-1]
    assert f"nf_conntrack_max is {capacity:,} on this machine" in text
    rate = int(text.rpartition("rate = ")[2])
    assert list(remarks.crowded(plan_of(tmp_path, rate=rate, engine="connect")))[1:] == []
    assert len(list(remarks.crowded(plan_of(tmp_path, rate=rate + 2, engine="connect")))) == 2


def test_the_plan_page(vantage: Network, tmp_path: Path) -> None:
    """A machine that could not send a plan may freeze it, and the page says why it could not."""
    vantage.ip("vantage", "route del default")
    (line,) = remarks.preview(plan_of(tmp_path))
    assert line.startswith("this machine cannot send the plan: [probe] source: cannot be looked up")


def test_who_is_seen(vantage: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that scanned networks see are the public ones; that of a NAT is never guessed."""
    probe = plan_of(tmp_path).probe
    with pytest.raises(InputError, match="10.1.0.5 is a private address; give that of the NAT"):
        remarks.public_sources(probe)
    monkeypatch.setenv(local.PUBLIC_ADDRESS, "20.9.9.9")
    assert remarks.public_sources(probe) == ("20.9.9.9",)
