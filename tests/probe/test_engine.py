"""What the register withholds of a batch."""

import numpy as np

from pipeline.probe.engine import _asked
from pipeline.space.ranges import Ranges

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
