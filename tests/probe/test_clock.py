"""The kernel's time stamps on the monotonic clock."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.probe.clock import MODULUS, OLDEST_SECONDS, Clock, now, taken_us


@given(st.floats(0.0, OLDEST_SECONDS), st.floats(10.0, 10**7))
def test_a_time_stamp_becomes_a_time_of_the_monotonic_clock(ago: float, uptime: float) -> None:
    """A packet that the kernel took so many seconds before it was read was taken then, on both clocks, to 2 µs."""
    read = Clock(uptime, now().epoch_us)
    taken = taken_us(np.array([read.epoch_us / 1e6 - ago]), read)
    assert (int(taken[0]) - int((uptime - ago) * 1e6) + 2) % MODULUS <= 4


@given(st.floats(-1e7, 1e7))
def test_a_clock_that_was_set_shifts_it_by_a_second_at_most(step: float) -> None:
    """Where the system's clock was set between packet and reading, the packet was taken within the last second still."""
    read = Clock(1000.0, now().epoch_us)
    taken = taken_us(np.array([read.epoch_us / 1e6 + step]), read)
    assert read.us - OLDEST_SECONDS * 1e6 <= int(taken[0]) <= read.us
