"""What a register withheld in a span of time."""

from datetime import UTC, date, datetime, timedelta

from pipeline.optout.events import AnyEvent, Expire, OptOut, Quarantine, Release, Stop
from pipeline.optout.withheld import withheld

BEGIN, END = datetime(2026, 6, 1, 3, tzinfo=UTC), datetime(2026, 6, 3, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def opt_out(block: str, at: datetime, until: date | None = None) -> OptOut:
    return OptOut(at=at, who="A", block=block, until=until)


def test_whoever_was_withheld_at_any_time() -> None:
    """What was in force before the span, or came in it, was withheld, also if it ended in it; what came later was not."""
    events: list[AnyEvent] = [
        opt_out("10.0.0.0/30", BEGIN - HOUR),
        Quarantine(at=BEGIN - HOUR, who="census", block="10.0.1.1/32", until=date(2027, 6, 1)),
        Stop(at=BEGIN, who="A", reason="a test"),
        opt_out("10.0.2.0/31", BEGIN + HOUR),
        Expire(at=BEGIN + 2 * HOUR, who="A", block="10.0.2.0/31"),
        Release(at=BEGIN + 2 * HOUR, who="A", block="10.0.1.1/32"),
        opt_out("10.0.3.0/24", END + HOUR),
    ]
    found = withheld(events, BEGIN, END)
    assert found.pairs() == [(0x0A000000, 0x0A000003), (0x0A000101, 0x0A000101), (0x0A000200, 0x0A000201)]


def test_what_had_ended_before_was_not_withheld() -> None:
    """An opt-out that expired, or whose last day had passed, withheld nothing; without events nothing was withheld."""
    events: list[AnyEvent] = [
        opt_out("10.0.0.0/30", BEGIN - 99 * HOUR, until=date(2026, 5, 31)),
        opt_out("10.0.4.0/30", BEGIN - 9 * HOUR),
        Expire(at=BEGIN - HOUR, who="A", block="10.0.4.0/30"),
    ]
    assert withheld(events, BEGIN, END).pairs() == withheld([], BEGIN, END).pairs() == []
