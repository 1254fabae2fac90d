"""Loops that turn late."""

from pipeline.probe.loop_lag import LATE_SECONDS, LoopLag


def test_a_loop_that_turns_in_time_is_never_late() -> None:
    """Short turns, long ones that were meant to be long, and the time before the first one are no lag."""
    lag = LoopLag()
    assert not lag.was_late(0.0, 1000.0)
    for now, waited in ((1000.0, 0.0), (1000.9, 0.0), (1005.0, 4.0)):
        lag.turn(now, waited=waited)
    assert not lag.was_late(900.0, 1005.5)


def test_who_was_open_meanwhile() -> None:
    """A late turn concerns conversations that were open then, and the time since the last turn those that are open now."""
    lag = LoopLag()
    lag.turn(10.0)
    assert lag.was_late(9.0, 10.1 + LATE_SECONDS) and not lag.was_late(11.05, 10.1 + LATE_SECONDS)
    lag.turn(13.0)
    lag.turn(13.1)
    assert lag.was_late(12.9, 13.2) and not lag.was_late(13.05, 13.2)
