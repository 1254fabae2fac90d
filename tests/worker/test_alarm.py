"""The hit-rate alarm."""

import socket
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.sections import AlarmSection
from pipeline.lake import receipts
from pipeline.lake.layout import Sweep
from pipeline.optout import register
from pipeline.record.receipt import Counts, Receipt
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.sweep import freeze, run
from pipeline.worker.alarm import WINDOWS, Alarm, Hits, HitWatch, hits, port_of

CONFIG = """
sweep = { name = "watched", ports = [104], seed = 1, rate = 100, shards = 1 }
targets = { include = ["11.0.0.0/18"] }
"""
PROBES, RATE, RANGES = 20_000, 0.002, 200


def walk(addresses: int, range_targets: int) -> Walk:
    space = Space.over(Ranges.of([(11 << 24, (11 << 24) + addresses - 1)]))
    ports = (104, 11112)
    return Walk(space, Permutation.seeded(addresses, 1), ports, addresses, 1, range_targets)


def alarm(false_alarms: float = 0.01) -> Alarm:
    return Alarm(AlarmSection(false_alarms=false_alarms), RANGES * len(WINDOWS))


def sweep(of: Alarm, hits: np.ndarray) -> int | None:
    """The number of the range that raised the alarm, if any did."""
    return next((n for n, k in enumerate(hits.tolist()) if of.add(104, Hits(PROBES, k))), None)


def test_a_steady_sweep_is_not_stopped() -> None:
    """Of 60 sweeps of 40 ranges with one rate, no more are stopped than the allowed 10 %, within three standard deviations."""
    draw = np.random.default_rng(11)
    stopped = sum(sweep(alarm(0.1), draw.binomial(PROBES, RATE, 40)) is not None for _ in range(60))
    assert stopped <= 6 + 3 * 6**0.5


def test_silence_is_seen_at_once() -> None:
    """If no target answers any more, the first such range raises the alarm; if half do, one of the next 16 ranges does."""
    draw = np.random.default_rng(12)
    steady = draw.binomial(PROBES, RATE, 60)
    assert sweep(alarm(), np.concatenate([steady, [0]])) == 60
    half = sweep(alarm(), np.concatenate([steady, draw.binomial(PROBES, RATE / 2, 16)]))
    assert half is not None and 60 <= half <= 75


def test_it_says_what_it_saw_and_begins_anew() -> None:
    """The reason has both counts and the port; the ranges after the alarm are compared only with each other."""
    of = alarm()
    for _ in range(60):
        of.add(104, Hits(PROBES, 40))
    assert "0 of 20,000 targets on port 104 answered in the latest range, 2,400 of 1,200,000 before" in of.add(
        104, Hits(PROBES, 0)
    )
    assert not of.add(104, Hits(PROBES, 0))
    assert not of.add(11112, Hits(PROBES, 0))


def test_a_range_has_one_port_or_is_left_out() -> None:
    """A range within a pass has the port of the pass; a range across two passes has none."""
    of = walk(1000, 300)
    assert [port_of(of, chosen) for chosen in of.ranges(0)] == [104, 104, 104, None, 11112, 11112, 11112]


@pytest.mark.parametrize(
    "counts",
    [
        Counts(probes_sent=1000, answers=45, duplicates=5),
        Counts(probes_sent=970, spared=30, answers=10),
    ],
    ids=["ring", "connect"],
)
def test_hosts_that_an_earlier_attempt_visited_are_hits(counts: Counts) -> None:
    """A host that is not visited again since a crash is there all the same, whether it is probed again or spared."""
    assert hits(counts) == Hits(1000, 40)


@pytest.fixture
def begun(tmp_path: Path) -> Sweep:
    """A sweep of one port in a lake of its own."""
    (tmp_path / "sweep.toml").write_text(CONFIG)
    return run.begin(freeze.freeze(tmp_path / "sweep.toml"), tmp_path / "lake")


def done(sweep: Sweep, number: int, host: str, answers: int) -> Receipt:
    """The receipt of a range that a machine has finished."""
    range_ = list(sweep.walk.ranges(0))[number]
    receipt = Receipt(
        shard=0, range=number, first_index=range_.first_index, last_index=range_.last_index, host=host,
        finished_at=number, probes_sent=range_.length, answers=answers,
    )  # fmt: skip
    receipts.put_receipt(sweep.paths, range_.key, receipt)
    return receipt


@pytest.mark.parametrize(("host", "stops"), [(socket.gethostname(), True), ("elsewhere.example", False)])
def test_a_restart_forgets_nothing(begun: Sweep, host: str, stops: bool) -> None:
    """A new worker knows the hit rate of the ranges that its machine has finished; those of another vantage say nothing of it."""
    for number in range(12):
        done(begun, number, host, answers=30)
    following = list(begun.walk.ranges(0))[12]
    HitWatch(begun).see(following, Counts(probes_sent=following.length))
    kept = register.of("", begun.paths.lake)
    stop = register.state(kept).stop
    assert (stop is not None) == stops
    if stop:
        assert "0 of 1,000 targets on port 104 answered in the latest range, 360 of 12,000 before" in stop.reason
        assert list(run.stopped(begun.plan, begun.paths.lake)) == [
            f"the register {kept.where} is stopped by census since {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}; "
            f"nothing is sent until `census go {kept.where}`"
        ]
