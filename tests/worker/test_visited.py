"""An associator visits a target once, whatever it is told."""

from pathlib import Path

import pytest

from pipeline.errors import GuardError
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.worker.visited import MOST_OPEN, Visited

TARGET = (20 << 24, 2762)


@pytest.fixture
def visited(tmp_path: Path) -> Visited:
    begun = Visited(SweepPaths(tmp_path, "s"))
    begun.begin(0, 1, 0)
    return begun


def test_once(visited: Visited) -> None:
    """A target is visited once in a range, also if another attempt at the range begins; another target is its own."""
    assert visited.add(0, 1, TARGET)
    assert not visited.add(0, 1, TARGET)
    visited.begin(0, 1, 0)
    assert not visited.add(0, 1, TARGET)
    assert visited.add(0, 1, (TARGET[0], 104))


def test_what_was_not_heard_by_our_own_fault(visited: Visited) -> None:
    """A visit that our own link cut off is made again by a later attempt."""
    visited.add(0, 1, TARGET)
    visited.forget(0, 1, TARGET)
    assert visited.add(0, 1, TARGET)
    visited.forget(5, 5, TARGET)


def test_a_receipt_that_was_void(visited: Visited) -> None:
    """A record of a void receipt in the lake lets each target of its range be visited once more."""
    visited.add(0, 1, TARGET)
    store.write(visited.paths.void("000-000001", 1), b"{}")
    for expected in (True, False):
        visited.begin(0, 1, 0)
        assert visited.add(0, 1, TARGET) is expected


def test_too_many_ranges(visited: Visited) -> None:
    """More open ranges than any sweep has end the associator, before it runs out of files."""
    with pytest.raises(GuardError, match="ranges are open at once"):
        visited.begin(0, 2, MOST_OPEN)
