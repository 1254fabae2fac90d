"""What the report estimates from its counts: loss, intervals, change and survival (docs/statistics.md). No database here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pipeline.statistics import survival as jolly_seber
from pipeline.statistics.abundance import abundance
from pipeline.statistics.change import Change, change
from pipeline.statistics.interval import Interval, certain
from pipeline.statistics.recapture import chapman, detection

Row = Mapping[str, Any]

#: A change is significant if its p is below this over the number of countries compared (Bonferroni).
SIGNIFICANT = 0.05
#: The country of the row that is about all countries together.
ALL = "all"
COUNTS = ("stayed", "came", "went", "entered", "left_space")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Of the `second` hosts that one look saw, the other look saw `both`; `method` is what the second look was."""

    both: int
    second: int
    method: str


@dataclass(frozen=True, slots=True)
class Detection:
    """How likely a sweep detects a service that is reachable, and what that is measured by."""

    chance: Estimate
    method: str
    hosts: int
    """How many hosts the second look was at."""


@dataclass(frozen=True, slots=True)
class CountryChange:
    """The change of one country, or of all of them, between two sweeps; the counts are those of macro `change_since`."""

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
class SurvivalStep:
    """The share of services that persists from one sweep of a series to the next."""

    sweep: str
    days: float
    stays: Estimate


def second_look(sweep: str, loss: Sequence[Row], vantages: Sequence[Row]) -> SecondLook | None:
    """The sweep's own second SYNs, else the other vantage that is nearest in time, all ports together; None without either."""
    for row in loss:
        both, once = ("seen_twice", "seen_second") if row["took"] is None else ("took_twice", "took")
        if row["sweep"] == sweep and row[both]:
            return SecondLook(row[both], row[once], "a second SYN")
    pairs = [row for row in vantages if sweep in (row["sweep"], row["other"])]
    if not pairs:
        return None
    nearest = min(pairs, key=lambda row: (row["days"], row["sweep"], row["other"]))
    ports = [row for row in pairs if (row["sweep"], row["other"]) == (nearest["sweep"], nearest["other"])]
    other = "seen_there" if nearest["sweep"] == sweep else "seen_here"
    both, second = (sum(row[column] for row in ports) for column in ("seen_by_both", other))
    return SecondLook(both, second, "another vantage") if both else None


def detected(look: SecondLook | None) -> Detection | None:
    """How likely the sweep detects a service; None without a second look."""
    return Detection(_estimate(detection(look.both, look.second)), look.method, look.second) if look else None


def trend(counts: Sequence[int], looks: Sequence[SecondLook | None]) -> list[Estimate]:
    """How many services the counts of complete sweeps stand for, each by its own second look; vectorised for years of sweeps."""
    if not counts:
        return []
    known = np.array([look is not None for look in looks])
    chance = detection([look.both if look else 1 for look in looks], [look.second if look else 1 for look in looks])
    chance = Interval(*(np.where(known, end, 1.0) for end in (chance.value, chance.low, chance.high)))
    return _estimates(abundance(np.array(counts), chance))


def estimates(counts: Sequence[int], share: float, detection: Detection | None) -> list[Estimate]:
    """How many services there are in all, given the counts of a sweep of this share of the target space."""
    if not counts:
        return []
    return _estimates(abundance(np.array(counts), _chance(detection, share)))


def _estimates(interval: Interval) -> list[Estimate]:
    return [Estimate(*map(float, ends)) for ends in zip(interval.value, interval.low, interval.high, strict=True)]


def changes(rows: Sequence[Row], before: Detection | None, now: Detection | None) -> list[CountryChange]:
    """The change of all countries together, then of each country; empty if nothing is compared."""
    if not rows:
        return []
    total = {"country": ALL} | {name: sum(row[name] for row in rows) for name in COUNTS}
    lines = [total, *rows]
    stayed, came, went = (np.array([row[name] for row in lines], float) for name in COUNTS[:3])
    tested = change(stayed, came, went, before=_chance(before, 1), after=_chance(now, 1))
    return [_country_change(row, tested, index, len(rows)) for index, row in enumerate(lines)]


def _country_change(row: Row, tested: Change, index: int, compared: int) -> CountryChange:
    limit = SIGNIFICANT if row["country"] == ALL else SIGNIFICANT / compared
    direction = "up" if row["came"] > row["went"] else "down"
    growth, turnover = float(tested.p_growth[index]), float(tested.p_turnover[index])
    flag = direction if growth < limit else "turnover" if turnover < limit else ""
    return CountryChange(
        **{name: row[name] for name in ("country", *COUNTS)},
        new=_estimate_at(tested.new, index),
        gone=_estimate_at(tested.gone, index),
        by_loss=(float(tested.new_by_loss[index]), float(tested.gone_by_loss[index])),
        p_growth=growth,
        p_turnover=turnover,
        flag=flag,
    )


def survival(recaptures: Sequence[Row]) -> list[SurvivalStep]:
    """The steps of a series, in order, for which the model of Jolly and Seber gives an estimate."""
    if len(recaptures) < 3:
        return []
    columns = (np.array([row[name] for row in recaptures], float) for name in ("caught", "marked", "again", "skipped"))
    stays = jolly_seber.survival(jolly_seber.Recaptures(*columns)).stays
    return [
        SurvivalStep(later["sweep"], float(later["days"]), _estimate_at(stays, index))
        for index, later in enumerate(recaptures[1:])
        if np.isfinite(stays.value[index]) and np.isfinite(stays.low[index])
    ]


def half_life(steps: Sequence[SurvivalStep]) -> float:
    """Days after which half of the services are gone; NaN without a step, infinite if none went."""
    return jolly_seber.half_life([step.stays.value for step in steps], [step.days for step in steps])


def population(pair: Row) -> Estimate:
    """How many services there are, seen or not, estimated from two vantages."""
    return _captured(pair["seen_here"], pair["seen_there"], pair["seen_by_both"])


@cache
def _captured(here: int, there: int, both: int) -> Estimate:
    """Cached, since each format of a report needs it again, and large counts take long."""
    return _estimate(chapman(here, there, both))


def _chance(detection: Detection | None, share: float) -> Interval:
    """How likely a service of the target space is counted by a sweep of this share of it."""
    if detection is None:
        return certain(share)
    ends = (detection.chance.value, detection.chance.low, detection.chance.high)
    return Interval(*(np.asarray(share * end) for end in ends))


def _estimate_at(interval: Interval, index: int) -> Estimate:
    return Estimate(float(interval.value[index]), float(interval.low[index]), float(interval.high[index]))


def _estimate(interval: Interval) -> Estimate:
    return Estimate(float(interval.value), float(interval.low), float(interval.high))
