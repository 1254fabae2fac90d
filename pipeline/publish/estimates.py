"""What the report concludes from its counts: loss, intervals, change and survival (docs/statistics.md). No database here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pipeline.statistics import survival as lasting
from pipeline.statistics.change import Change, change
from pipeline.statistics.interval import Interval, certain
from pipeline.statistics.recapture import chapman, detection
from pipeline.statistics.whole import whole

Row = Mapping[str, Any]

#: A change is flagged where its p is below this over the number of countries compared (Bonferroni).
FLAGGED = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Seen:
    """How likely a sweep sees a service that is there, and how that is known."""

    chance: Estimate
    how: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The change of one country, or of all (country "all"), between two sweeps."""

    country: str | None
    stayed: int
    came: int
    went: int
    entered: int
    left_space: int
    new: Estimate
    gone: Estimate
    by_loss: tuple[float, float]
    p_growth: float
    p_turnover: float
    flag: str


@dataclass(frozen=True, slots=True)
class Step:
    """The survival from one sweep of a series to the next."""

    sweep: str
    days: float
    stays: Estimate


@dataclass(frozen=True, slots=True)
class Looks:
    """Of the services that a second look saw, how many the sweep saw too; and what the second look was."""

    both: int
    second: int
    how: str


def looks(sweep: str, loss: Sequence[Row], vantages: Sequence[Row]) -> Looks | None:
    """The sweep's own second looks, else the vantage that is nearest in time, all ports together; None without."""
    for row in loss:
        if row["sweep"] == sweep and row["seen_second"]:
            return Looks(row["seen_twice"], row["seen_second"], "a second SYN")
    pairs = [row for row in vantages if sweep in (row["sweep"], row["other"])]
    if not pairs:
        return None
    nearest = min(pairs, key=lambda row: (row["days"], row["sweep"], row["other"]))
    of_it = [row for row in pairs if (row["sweep"], row["other"]) == (nearest["sweep"], nearest["other"])]
    second = "seen_there" if nearest["sweep"] == sweep else "seen_here"
    both, there = (sum(row[key] for row in of_it) for key in ("seen_by_both", second))
    return Looks(both, there, "another vantage") if both else None


def seen(found: Looks | None) -> Seen | None:
    """How likely the sweep sees a service; None without a second look."""
    return Seen(_only(detection(found.both, found.second)), found.how) if found else None


def trend(counts: Sequence[int], found: Sequence[Looks | None]) -> list[Estimate]:
    """What the counts of complete sweeps stand for, each by its own looks; all at once, since years have many."""
    if not counts:
        return []
    known = np.array([looks is not None for looks in found])
    told = detection([looks.both if looks else 1 for looks in found], [looks.second if looks else 1 for looks in found])
    chance = Interval(*(np.where(known, end, 1.0) for end in (told.value, told.low, told.high)))
    return _estimates(whole(np.array(counts), chance))


def estimates(counts: Sequence[int], share: float, found: Seen | None) -> list[Estimate]:
    """How many there are of which a sweep of a share of the space counted so many."""
    if not counts:
        return []
    return _estimates(whole(np.array(counts), _interval(found, share)))


def _estimates(told: Interval) -> list[Estimate]:
    return [Estimate(*map(float, ends)) for ends in zip(told.value, told.low, told.high, strict=True)]


def changes(rows: Sequence[Row], before: Seen | None, now: Seen | None) -> list[Changed]:
    """The change of each country, and of all together as the first; none where nothing is compared."""
    if not rows:
        return []
    names = ("stayed", "came", "went", "entered", "left_space")
    together = {"country": "all"} | {name: sum(row[name] for row in rows) for name in names}
    every = [together, *rows]
    stayed, came, went = (np.array([row[name] for row in every], float) for name in names[:3])
    told = change(stayed, came, went, before=_interval(before, 1), after=_interval(now, 1))
    return [_changed(row, told, place, len(rows)) for place, row in enumerate(every)]


def _changed(row: Row, told: Change, place: int, compared: int) -> Changed:
    limit = FLAGGED if row["country"] == "all" else FLAGGED / compared
    rising = row["came"] > row["went"]
    growth, turnover = float(told.p_growth[place]), float(told.p_turnover[place])
    flag = ("up" if rising else "down") if growth < limit else "turnover" if turnover < limit else ""
    return Changed(
        **{name: row[name] for name in ("country", "stayed", "came", "went", "entered", "left_space")},
        new=_at(told.new, place),
        gone=_at(told.gone, place),
        by_loss=(float(told.new_by_loss[place]), float(told.gone_by_loss[place])),
        p_growth=growth,
        p_turnover=turnover,
        flag=flag,
    )


def survival(recaptures: Sequence[Row]) -> list[Step]:
    """The steps of a series that the model of Jolly and Seber can tell, in their order."""
    if len(recaptures) < 3:
        return []
    columns = (np.array([row[name] for row in recaptures], float) for name in ("caught", "marked", "again", "skipped"))
    told = lasting.survival(lasting.Recaptures(*columns)).stays
    return [
        Step(later["sweep"], float(later["days"]), _at(told, place))
        for place, later in enumerate(recaptures[1:])
        if np.isfinite(told.value[place]) and np.isfinite(told.low[place])
    ]


def half_life(steps: Sequence[Step]) -> float:
    """Days after which half of the services are gone; NaN if no step is told, infinite if none went."""
    return lasting.half_life([step.stays.value for step in steps], [step.days for step in steps])


def there(pair: Row) -> Estimate:
    """How many services two vantages tell of, seen or not."""
    return _captured(pair["seen_here"], pair["seen_there"], pair["seen_by_both"])


@cache
def _captured(here: int, there: int, both: int) -> Estimate:
    """Kept, since each form of a report tells it again, and large counts take long."""
    return _only(chapman(here, there, both))


def _interval(found: Seen | None, share: float) -> Interval:
    if found is None:
        return certain(share)
    ends = (found.chance.value, found.chance.low, found.chance.high)
    return Interval(*(np.asarray(share * end) for end in ends))


def _at(told: Interval, place: int) -> Estimate:
    return Estimate(float(told.value[place]), float(told.low[place]), float(told.high[place]))


def _only(told: Interval) -> Estimate:
    return Estimate(float(told.value), float(told.low), float(told.high))
