"""What comes back."""

import time

import numpy as np

from pipeline.probe.listener import _rtt
from pipeline.probe.open_range import OpenRange
from pipeline.space.shard import Range


def test_round_trips_begin_with_their_batch() -> None:
    """A target's round trip counts from the batch that asked it, of several."""
    now = time.monotonic()
    opened = OpenRange.of(Range(0, 0, 0, 29), now)
    opened.batches = [(10, now - 3), (20, now - 2), (30, now - 1)]
    seconds = _rtt(opened, np.array([0, 9, 10, 19, 20, 29])) / 1e6
    assert np.floor(seconds).tolist() == [3, 3, 2, 2, 1, 1]
