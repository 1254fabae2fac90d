"""How long a sweep takes, from its plan."""

from pathlib import Path

import pytest

from pipeline.plan import timing
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze

CONFIG = """
[sweep]
name = "timed"
ports = [104]
seed = 1
rate = {rate}
{more}
[targets]
include = ["20.0.0.0/{prefix}"]
"""


def plan(folder: Path, prefix: int, rate: int, more: str = "", sections: str = "") -> Plan:
    """The plan of a space of 2^(32 - prefix) addresses."""
    (folder / "sweep.toml").write_text(CONFIG.format(prefix=prefix, rate=rate, more=more) + sections)
    return freeze.freeze(folder / "sweep.toml", folder / "lake")


@pytest.mark.parametrize(
    ("shards", "at_once", "whole"),
    [
        ([10.0], 1, 13.0),
        ([10.0, 10.0], 2, 23.0),  # while one cools down the other sends
        ([1.0, 1.0, 1.0, 1.0], 2, 9.0),  # two send for 2 s, then both slots cool down
        ([1.0, 1.0, 1.0, 1.0], 4, 7.0),
        ([], 2, 0.0),
    ],
)
def test_shards_wait_for_cool_downs(shards: list[float], at_once: int, whole: float) -> None:
    """Sending is one after another; with all places taken by shards that cool down for 3 s, nothing is sent."""
    assert timing.seconds(shards, at_once, 3.0) == whole


def test_a_small_space_does_not_wait(tmp_path: Path) -> None:
    """65,536 targets at 20,000/s take 4 s of sending and one cool-down, not one for every few shards."""
    small = plan(tmp_path, 16, 20_000)
    assert small.settings.shards == 2
    assert timing.left(small, small.targets, 20_000) == pytest.approx(65_536 * 1.02 / 20_000 + 11)


def test_shards_that_are_given_are_obeyed(tmp_path: Path) -> None:
    """An explicit number stays, and so many of them run at once that they take two rounds of cool-downs, not thirty."""
    many = plan(tmp_path, 16, 20_000, "shards = 64")
    assert many.settings.shards == 64
    assert timing.at_once(many) == timing.MOST_AT_ONCE
    assert timing.left(many, many.targets, 20_000) < 2 * (11 + 65_536 * 1.02 / 20_000)


@pytest.mark.parametrize(
    ("prefix", "rate", "sections", "shards"),
    [
        (30, 1000, "", 2),
        (31, 1000, "[probe]\nsenders = 4", 2),  # an address each
        (16, 1000, "", 2),
        (12, 1000, "", 18),
        (8, 1000, "", 64),
        (12, 1000, "[caps]\nper_slash24_hour = 60", 64),  # the cap lowers the rate, so that the sweep takes longer
        (16, 1000, "[probe]\nsenders = 4", 8),
    ],
)
def test_shards_fit_the_space(tmp_path: Path, prefix: int, rate: int, sections: str, shards: int) -> None:
    """Unless it is given, the number of shards follows from the targets and the rate that they are sent at."""
    assert plan(tmp_path, prefix, rate, sections=sections).settings.shards == shards


def test_long_shards_run_with_one_in_reserve(tmp_path: Path) -> None:
    """Where a shard takes longer to send than to cool down, one runs for each sender and one cools down."""
    long = plan(tmp_path, 12, 1000, sections="[probe]\nsenders = 2")
    assert timing.at_once(long) == 3


def test_the_harm_check_takes_its_time(tmp_path: Path) -> None:
    """A host of the harm check may be visited after two delays and a check, and be checked again after a third."""
    assert timing.harm(plan(tmp_path, 16, 1000)) == 0
    assert timing.harm(plan(tmp_path, 16, 1000, sections="[harm]\ndelay = 20.0")) == 92


def test_companion_syns_take_their_time(tmp_path: Path) -> None:
    """The last companion SYN leaves two delays after the last visit and may be answered for a cool-down, next to harm checks."""
    companions = "[companions]\nports = [80]\ndelay = 20.0\n[probe]\ncooldown = 4.0"
    assert timing.afterwards(plan(tmp_path, 16, 1000)) == 0
    assert timing.afterwards(plan(tmp_path, 16, 1000, sections=companions)) == 44
    assert timing.afterwards(plan(tmp_path, 16, 1000, sections=f"{companions}\n[harm]\ndelay = 20.0")) == 76


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min"), (90061, "1 d 1 h"), (61, "1 min 1 s")]
)
def test_durations(seconds: float, told: str) -> None:
    """A duration has its two largest units."""
    assert timing.spoken(seconds) == told
