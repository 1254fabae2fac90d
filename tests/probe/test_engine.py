"""What the register withholds of a batch."""

import time

import numpy as np

from pipeline.probe.engine import _asked, _rtt
from pipeline.probe.open_range import OpenRange
from pipeline.space.ranges import Ranges
from pipeline.space.shard import Range

ADDRESSES = np.arange(10, 20, dtype=np.uint32)
PORTS = np.arange(10, dtype=np.uint16)


def test_a_register_that_adds_nothing_costs_nothing() -> None:
    """With nothing to withhold a batch goes through untouched, not even copied."""
    addresses, ports, places = _asked(ADDRESSES, PORTS, Ranges.of(()))
    assert addresses is ADDRESSES
    assert ports is PORTS
    assert places.tolist() == list(range(10))


def test_withheld_targets_are_left_out() -> None:
    """Targets at withheld addresses are left out, the others keep their ports and order."""
    addresses, ports, places = _asked(ADDRESSES, PORTS, Ranges.of([(0, 11), (15, 17)]))
    assert places.tolist() == [2, 3, 4, 8, 9]
    assert addresses.tolist() == [12, 13, 14, 18, 19]
    assert ports.tolist() == [2, 3, 4, 8, 9]


def test_round_trips_begin_with_their_batch() -> None:
    """A target's round trip counts from the batch that asked it, of several."""
    now = time.monotonic()
    opened = OpenRange.of(Range(0, 0, 0, 29), now)
    opened.batches = [(10, now - 3), (20, now - 2), (30, now - 1)]
    seconds = _rtt(opened, np.array([0, 9, 10, 19, 20, 29])) / 1e6
    assert np.floor(seconds).tolist() == [3, 3, 2, 2, 1, 1]
