"""Who gets companion SYNs: each address that spoke DICOM at a visit of the first two rounds, once at each port."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import schema
from pipeline.lake import companion_targets, parts, receipts
from pipeline.lake.companion_targets import Companions
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt
from pipeline.space.shard import Range
from pipeline.sweep import freeze
from tests.analysis import lake as lake_of

CONFIG = """
sweep = { name = "next", ports = [104, 11112], seed = 1, rate = 3, shards = 2, profile = "tls" }
targets = { include = ["11.0.0.0/26"] }
companions = { ports = [80, 2575] }
"""
WHEN = datetime(2026, 6, 20, tzinfo=UTC)
FIRST = 11 << 24


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "sweep.toml").write_text(CONFIG)
    return freeze.freeze(folder / "sweep.toml", folder)


@pytest.fixture
def sweep(plan: Plan, lake: Location) -> Sweep:
    return Sweep(plan, SweepPaths(lake, "next"))


def finish(sweep: Sweep, number: int, *visits: tuple[int, str], round: int = 1) -> None:
    """Write the receipt of a range of shard 0 and its rows: hosts by number, each with an outcome, a minute after each other."""
    range_ = Range(0, number, 0, 9)
    rows = [
        {"ip": FIRST + host, "port": 104, "shard": 0, "range": number, "round": round, "outcome": outcome,
         "started_at": WHEN + timedelta(minutes=number)}
        for host, outcome in visits
    ]  # fmt: skip
    blank = lake_of._arrow(schema.table("associations"), rows).drop_columns("sweep")
    file = sweep.paths.part("associations", f"{range_.key}.1.parquet")
    part = parts.write(file, blank, "associations", sweep.paths.id)
    receipts.put_receipt(sweep.paths, range_.key, Receipt(range=number, parts=(part,)))


def numbers(companions: Companions) -> list[tuple[int, list[int]]]:
    """The ranges that are ready, each with its number and its hosts."""
    return [
        (range_.number, sorted({ip - FIRST for ip in targets["ip"].to_pylist()}))
        for range_, targets in companions.ready()
    ]


def test_each_address_belongs_to_its_first_range(sweep: Sweep) -> None:
    """Ranges come in order, as soon as all before them are done; an address that speaks again gets nothing again."""
    first = companion_targets.first_number(sweep.walk, 0)
    assert int(sweep.walk.range_counts[0]) > 2 and first == 2 * (int(sweep.walk.range_counts[0]) + 1)
    companions = Companions(sweep, 0)
    finish(sweep, 1, (3, "echoed"), (5, "rejected"))
    assert numbers(companions) == []
    finish(sweep, 0, (1, "accepted"), (2, "silent"), (3, "aborted"), (4, "malformed"))
    assert numbers(companions) == [(first, [1, 3]), (first + 1, [5])]
    assert numbers(companions) == []
    finish(sweep, 2, (1, "echoed"))
    assert numbers(companions) == []
    assert numbers(Companions(sweep, 0)) == [(first, [1, 3]), (first + 1, [5])]
    assert {range_.number: range_.length for range_ in companion_targets.planned(sweep).values()} == {
        first: 4,
        first + 1: 2,
    }


def test_every_port_of_an_address_is_a_target(sweep: Sweep) -> None:
    """The targets are all ports of each address, with the number of the port and the beginning of the visit."""
    finish(sweep, 0, (1, "echoed"), (2, "echoed"))
    ((range_, targets),) = Companions(sweep, 0).ready()
    assert (range_.first_index, range_.last_index) == (0, 3)
    rows = [(row["ip"] - FIRST, row["port"], row["number"]) for row in targets.to_pylist()]
    assert rows == [(1, 80, 0), (2, 80, 0), (1, 2575, 1), (2, 2575, 1)]
    assert set(targets["visited_at"].to_pylist()) == {WHEN}


def test_who_was_visited_by_the_harm_check_is_left_alone(sweep: Sweep) -> None:
    """Second visits count, visits of the harm check do not."""
    finish(sweep, 0, (1, "echoed"), round=3)
    finish(sweep, 1, (2, "echoed"), round=2)
    first = companion_targets.first_number(sweep.walk, 0)
    assert numbers(Companions(sweep, 0)) == [(first + 1, [2])]
    assert [range_.number for range_ in companion_targets.planned(sweep).values()] == [first + 1]


def test_without_ports_there_are_none(sweep: Sweep, tmp_path: Path) -> None:
    """A sweep without companion ports has no such range, whoever spoke DICOM."""
    (tmp_path / "sweep.toml").write_text(CONFIG.replace("[80, 2575]", "[]"))
    quiet = Sweep(freeze.freeze(tmp_path / "sweep.toml", tmp_path), sweep.paths)
    finish(quiet, 0, (1, "echoed"))
    assert not numbers(Companions(quiet, 0)) and not companion_targets.planned(quiet)
