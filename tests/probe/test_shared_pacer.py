"""One budget for several processes, in one file."""

import multiprocessing
import os
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.probe.pacer import BURST_SECONDS, SLOW_RATE, Pacer
from pipeline.probe.shared_pacer import SharedPacer

RATE = 20_000


def draw(path: Path, seconds: float, out: Connection) -> None:
    """Take all grants for a while; send the times and sizes of the grants."""
    pacer = SharedPacer(path, RATE, time.monotonic())
    until = time.monotonic() + seconds
    taken = []
    while (now := time.monotonic()) < until:
        if granted := pacer.grant(now, 8192):
            taken.append((now, granted))
        time.sleep(min(0.002, pacer.wait()))
    out.send(taken)


def hold(path: Path, out: Connection) -> None:
    """Take the lock and never release it."""
    pacer = SharedPacer(path, RATE, time.monotonic())
    with pacer._locked():
        out.send("held")
        time.sleep(600)


def test_processes_together_get_no_more_than_one(tmp_path: Path) -> None:
    """Four processes together are granted one rate, and at most twice that in any 10 ms."""
    spawn = multiprocessing.get_context("spawn")
    ways = [spawn.Pipe(duplex=False) for _ in range(4)]
    path, seconds = tmp_path / "budget", 2.0
    senders = [spawn.Process(target=draw, args=(path, seconds, way)) for _, way in ways]
    for process in senders:
        process.start()
    grants = sorted(grant for end, _ in ways for grant in end.recv())
    for process in senders:
        process.join(10)
    at, counts = (np.array(column) for column in zip(*grants, strict=True))
    sums = np.concatenate([[0], np.cumsum(counts)])
    last = np.searchsorted(at, at + BURST_SECONDS, side="right")
    assert (sums[last] - sums[:-1]).max() <= 2 * RATE * BURST_SECONDS
    assert sums[-1] <= RATE * (at[-1] - at[0] + BURST_SECONDS)
    assert sums[-1] > 0


def test_a_killed_sender_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    """The lock of a sender that was killed while it held the lock is free."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=hold, args=(tmp_path / "budget", there))
    process.start()
    assert process.pid and here.recv() == "held"
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    began = time.monotonic()
    SharedPacer(tmp_path / "budget", RATE, began).grant(began, 1)
    assert time.monotonic() - began < 5


@settings(deadline=None, max_examples=50)
@given(
    st.one_of(st.integers(1, SLOW_RATE), st.integers(1, 1_000_000)),
    st.lists(st.tuples(st.floats(0, 0.05), st.integers(1, 9000)), max_size=50),
)
def test_alone_it_is_a_pacer(rate: int, steps: list[tuple[float, int]]) -> None:
    """A lone sender is granted what an unshared pacer would grant."""
    path = Path(tempfile.gettempdir()) / f"census-budget-{os.getpid()}"
    path.unlink(missing_ok=True)
    alone, shared, now = Pacer(rate, 0.0), SharedPacer(path, rate, 0.0), 0.0
    for step, wanted in steps:
        now += step
        assert shared.grant(now, wanted) == alone.grant(now, wanted)
        assert shared.wait() == alone.wait()
    assert shared.stalls == alone.stalls
    path.unlink()


@given(st.lists(st.integers(0, 1), min_size=1, max_size=100))
def test_two_take_of_one_bucket(turns: list[int]) -> None:
    """One sender's grants are not available to the other; time that passes for both counts once."""
    path = Path(tempfile.gettempdir()) / f"census-budget-{os.getpid()}"
    path.unlink(missing_ok=True)
    both = [SharedPacer(path, RATE, 0.0) for _ in range(2)]
    total = 0
    for step, which in enumerate(turns, 1):
        total += both[which].grant(step * 0.001, 8192)
    assert total == len(turns) * RATE // 1000
    path.unlink()


def test_slow_senders_together_keep_the_limit(tmp_path: Path) -> None:
    """At a slow rate the grants of two senders count together: no 10 ms have more than twice the rate."""
    both = [SharedPacer(tmp_path / "budget", SLOW_RATE, 0.0) for _ in range(2)]
    moments = [step * 0.0043 + 0.02 * (step // 7) for step in range(1, 400)]
    grants = [(now, both[step % 2].grant(now, 8192)) for step, now in enumerate(moments)]
    most = [sum(count for at, count in grants if begin <= at <= begin + BURST_SECONDS) for begin in moments]
    assert max(most) == 2 * SLOW_RATE * BURST_SECONDS
