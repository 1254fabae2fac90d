"""The hit-rate alarm."""

import socket
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.sections import AlarmSection
from pipeline.lake import companion_targets, receipts, voiding
from pipeline.lake.layout import Sweep
from pipeline.optout import register
from pipeline.record.receipt import Receipt
from pipeline.record.rounds import Round
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk, range_key
from pipeline.sweep import freeze, run
from pipeline.worker.alarm import WINDOWS, Alarm, Hits, HitWatch, hits, port_of

HERE = socket.gethostname()
CONFIG = """
sweep = { name = "watched", ports = [104], seed = 1, rate = 100, shards = 1 }
targets = { include = ["11.0.0.0/17"] }
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
    return next((n for n, k in enumerate(hits.tolist()) if of.add(104, Hits(PROBES, k, str(n)))), None)


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


def test_it_says_what_it_saw_and_goes_on_comparing() -> None:
    """The reason has both counts and the port. The baseline stays without what is forgotten, so a second fall is seen as well."""
    of = alarm()
    for number in range(60):
        assert of.add(104, Hits(PROBES, 40, f"{number}")) is None
    for name in ("first", "second"):
        fall = of.add(104, Hits(PROBES, 0, name))
        assert fall and fall.last_good and fall.last_good.key == "59"
        assert "0 of 20,000 targets on port 104 answered in the latest range, 2,400 of 1,200,000 before" in fall.reason
        of.forget({name})
    assert of.add(104, Hits(PROBES, 40, "mended")) is None
    assert of.add(11112, Hits(PROBES, 0, "other")) is None


def test_a_range_has_one_port_or_is_left_out() -> None:
    """A range within a pass has the port of the pass; a range across two passes has none."""
    of = walk(1000, 300)
    assert [port_of(of, chosen) for chosen in of.ranges(0)] == [104, 104, 104, None, 11112, 11112, 11112]


@pytest.mark.parametrize(
    "receipt",
    [
        Receipt(probes_sent=1000, answers=45, duplicates=5, responses=30),
        Receipt(probes_sent=970, spared=30, answers=10, responses=40),
        Receipt(probes_sent=1000, answers=3, responses=40),
    ],
    ids=["ring", "connect", "silent-since"],
)
def test_hosts_that_an_earlier_attempt_visited_are_hits(receipt: Receipt) -> None:
    """A host that is not visited again since a crash is there all the same: probed again, spared, or silent to a second SYN."""
    assert hits(receipt)[:2] == (1000, 40)


@pytest.fixture
def begun(tmp_path: Path) -> Sweep:
    """A sweep of one port in a lake of its own."""
    (tmp_path / "sweep.toml").write_text(CONFIG)
    return run.begin(freeze.freeze(tmp_path / "sweep.toml"), tmp_path / "lake")


def done(
    sweep: Sweep, number: int, answers: int, host: str = HERE, attempts: int = 1, began: float | None = None
) -> Receipt:
    """The receipt of a range that a machine has finished: 12 s after it began, 10 s after the one before."""
    range_ = list(sweep.walk.ranges(0))[number]
    began = int(1e6 * (10 * number if began is None else began))
    receipt = Receipt(
        shard=0, range=number, first_index=range_.first_index, last_index=range_.last_index, host=host, attempts=attempts,
        started_at=began, finished_at=began + 12_000_000, probes_sent=range_.length, answers=answers,
    )  # fmt: skip
    assert receipts.put_receipt(sweep.paths, range_.key, receipt)
    return receipt


@pytest.mark.parametrize(("host", "stops"), [(HERE, True), ("elsewhere.example", False)])
def test_a_restart_forgets_nothing(begun: Sweep, host: str, stops: bool) -> None:
    """A new worker knows the hit rate of the ranges that its machine has finished; those of another vantage say nothing of it."""
    for number in range(12):
        done(begun, number, answers=30, host=host)
    assert HitWatch(begun).accept(done(begun, 12, answers=0)) == (not stops)
    kept = register.of("", begun.paths.lake)
    stop = register.state(kept).stop
    assert (stop is not None) == stops
    if stop:
        assert "0 of 1,000 targets on port 104 answered in the latest range, 360 of 12,000 before" in stop.reason
        assert list(run.stopped(begun.plan, begun.paths.lake)) == [
            f"the register {kept.where} is stopped by census since {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}; "
            f"nothing is sent until `census go {kept.where}`"
        ]


def test_what_was_finished_since_the_last_good_sign_is_void(begun: Sweep) -> None:
    """Void are the range that raised the alarm, the last one before the fall, in which it may have begun, and all that overlap them.

    So is whatever began before the senders go on, whatever it has found. All of it is pending again, and the next attempts are valid.
    """
    watch = HitWatch(begun)
    for number in range(12):
        assert watch.accept(done(begun, number, answers=30))
    assert watch.accept(done(begun, 12, answers=15))
    keys = [range_.key for range_ in begun.walk.ranges(0)]
    assert not watch.accept(done(begun, 13, answers=0))
    assert receipts.finished(begun.paths) == set(keys[:11])
    watch.pause("")
    assert not watch.accept(done(begun, 14, answers=30))
    watch.pause("the hit rate fell")
    assert not watch.accept(done(begun, 15, answers=30))
    watch.pause("")
    assert not watch.accept(done(begun, 16, answers=30))
    assert voiding.count(begun.paths) == 6
    for number in (11, 12, 13, 14, 15, 16):
        assert watch.accept(done(begun, number, answers=30, attempts=2, began=time.time()))
    assert not HitWatch(begun).accept(done(begun, 17, answers=0, began=time.time()))
    assert receipts.finished(begun.paths) == set(keys[:11])


def test_companion_syns_of_a_void_shard_are_void(begun: Sweep) -> None:
    """Who speaks DICOM in a void range may change whose companion SYNs are whose: those of its shard are void, others stay."""
    watch = HitWatch(begun)
    keys = {}
    for shard in (0, 1):
        number = companion_targets.first_number(begun.walk, 0)
        keys[shard] = range_key(shard, number)
        receipt = Receipt(shard=shard, range=number, round=Round.COMPANIONS, host=HERE, finished_at=1)
        assert receipts.put_receipt(begun.paths, keys[shard], receipt)
    for number in range(12):
        assert watch.accept(done(begun, number, answers=30))
    assert not watch.accept(done(begun, 12, answers=0))
    assert keys[0] not in receipts.finished(begun.paths) and keys[1] in receipts.finished(begun.paths)
