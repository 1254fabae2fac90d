"""A sweep into a bucket over a bad network, on a machine that loses its power, ends as if nothing had happened."""

from pathlib import Path

import pytest

from tests.chaos.inside import EVERYTHING
from tests.chaos.run import faults, judge

#: A busy machine is slow.
pytestmark = pytest.mark.timeout(1800)


def test_everything_dies_at_once_behind_a_bad_network(tmp_path: Path) -> None:
    """With a lake in a bucket and lost requests and replies, a sweep is resumed after kill -9 of all its processes, and finished.

    Its rows are those of the world, and it does not stop itself: a range has some 80 hosts, and if those that were visited before
    a kill counted as silent, the hit-rate alarm would fire.
    """
    judged = judge(tmp_path, seed=20260213, kills=2, bucket=True, everything=True)
    assert faults(judged) == [] and judged.stops == []
    assert judged.killed == {EVERYTHING: 2} and judged.attempts > 16 and judged.unknown > 0
    assert judged.met.total() > 10
    assert judged.rows > 1000
