"""Packets of an open range, taken by mask or by index."""

import numpy as np

from pipeline.probe.located import LocatedPackets
from pipeline.probe.range_state import OpenRange
from pipeline.space.shard import Range
from pipeline.wire.packet import SNAP, read_answers


def test_packets_keep_what_is_known_of_them() -> None:
    """Packets that are taken keep address, position, time and acknowledged bytes, by a mask as by indices."""
    packets = np.zeros((3, SNAP), dtype=np.uint8)
    packets[:, 0], packets[:, 3], packets[:, 9], packets[:, 32] = 0x45, 40, 6, 0x50
    packets[:, 15] = [1, 2, 3]
    answers = read_answers(packets, np.full(3, 40, dtype=np.uint32))
    columns = [np.array([base + index for index in range(3)], dtype=np.uint32) for base in (10, 20, 30)]
    opened = OpenRange.begin(Range(0, 0, 0, 29), 0.0)
    every = LocatedPackets(7, opened, answers, columns[0].astype(np.int64), columns[1], columns[2])
    for which in (np.array([True, False, True]), np.array([0, 2])):
        kept = every.take(which)
        assert (kept.serial, kept.opened) == (7, opened)
        assert kept.answers.address.tolist() == [1, 3]
        assert (kept.position.tolist(), kept.taken.tolist(), kept.acked.tolist()) == ([10, 12], [20, 22], [30, 32])
