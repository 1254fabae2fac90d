"""Round ticks for axes: numbers in steps of 1, 2, 2.5 or 5 times a power of ten, and dates at the begin of days, months or years."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

STEPS = (1, 2, 2.5, 5, 10)
#: Days and months between two ticks, the shortest first.
DAYS = (1, 2, 7, 14)
MONTHS = (1, 3, 6, 12, 24, 60, 120)
#: Of a tick at the begin of a year the label is the year alone from this many months between ticks.
YEAR = 12


def numbers(top: float, most: int) -> list[float]:
    """Round numbers from 0 to the first one that is not below `top`, at most `most` steps; whole ones, since counts are whole."""
    least = max(top, 1.0) / most
    power = 10.0 ** math.floor(math.log10(least))
    steps = [step * power for step in STEPS if step * power >= least and float(step * power).is_integer()]
    step = steps[0] if steps else max(1.0, 10 * power)
    return [step * number for number in range(math.ceil(max(top, 1.0) / step) + 1)]


def dates(first: datetime, last: datetime, most: int) -> list[tuple[datetime, str]]:
    """At most `most` dates from `first` to `last` with their labels, in the shortest round step that makes no more."""
    for days in DAYS:
        ticks = list(_days(first, last, days))
        if len(ticks) <= most:
            return [(at, f"{at.day} {at:%b %Y}") for at in ticks]
    for months in MONTHS:
        ticks = list(_months(first, last, months))
        if len(ticks) <= most:
            break
    return [(at, f"{at:%Y}" if months >= YEAR else f"{at:%b %Y}") for at in ticks]


def _days(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    """The day of `first`, and each `step` days later."""
    at = first
    while at <= last:
        yield at
        at += timedelta(days=step)


def _months(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    """The begins of months that are multiples of `step` months since year 0."""
    month = (
        -(-(first.year * 12 + first.month - 1 + (first > datetime(first.year, first.month, 1, tzinfo=UTC))) // step)
        * step
    )
    while (at := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) <= last:
        yield at
        month += step
