"""What the report estimates from its counts: loss, intervals, change and survival (docs/statistics.md). No database here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics import survival as jolly_seber
from pipeline.statistics.abundance import abundance
from pipeline.statistics.change import Change, change, growth, holm, least_growth, least_shown
from pipeline.statistics.interval import Interval
from pipeline.statistics.looks import Looks, looks
from pipeline.statistics.recapture import chapman
from pipeline.statistics.sign_flip import least, sign_flip

Row = Mapping[str, Any]

#: A change is shown if its p is below this; that of a country if its p is so after the correction for all countries (Holm).
SIGNIFICANT = 0.05
#: The country of the row that is about all countries together.
ALL = "all"
#: The flag of a change of so few services, or networks, that no change could be shown, however they were divided.
FEW = "few"
COUNTS = ("stayed", "came", "went", "entered", "left_space", "moved_in", "moved_out", "withheld")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Of the `second` hosts that one look saw, the other look saw `both`; `method` is what the second look was.

    Without `counted` the detection is known as well as by so many looks, but follows from others (mart `country_loss`).
    """

    both: float
    second: float
    method: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Detection:
    """How likely a sweep detects a service that is reachable, and the second look that measures it."""

    chance: Estimate
    look: SecondLook

    @property
    def method(self) -> str:
        """What the second look was."""
        return self.look.method

    @property
    def hosts(self) -> int:
        """How many hosts the second look was at."""
        return int(self.look.second)


@dataclass(frozen=True, slots=True)
class CountryChange:
    """The change of one country, or of all of them, between two sweeps; the counts are those of macro `change_since`.

    networks_changed: those in which services appeared or disappeared; in_one_network: the most of these services that one of them has.
    """

    country: str | None
    stayed: int
    came: int
    went: int
    entered: int
    left_space: int
    moved_in: int
    moved_out: int
    withheld: int
    networks_changed: int
    in_one_network: int
    new: Estimate
    gone: Estimate
    by_loss: tuple[float, float]
    turnover: Estimate
    p_growth: float
    p_adjusted: float
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
    return Detection(_estimate(_looks(look).detection()), look) if look else None


def trend(counts: Sequence[int], looks: Sequence[SecondLook | None]) -> list[Estimate]:
    """How many services the counts of complete sweeps stand for, each by its own second look; vectorised for years of sweeps.

    Without a second look it is at least the count.
    """
    if not counts:
        return []
    there = abundance(np.array(counts), _chances(looks))
    known = [look is not None for look in looks]
    return _estimates(Interval(there.value, there.low, np.where(known, there.high, np.inf)))


def _chances(looks: Sequence[SecondLook | None]) -> Interval:
    """How likely a service is detected, by each second look; certain without one."""
    known = np.array([look is not None for look in looks])
    chance = _joined([look or SecondLook(1, 1, "") for look in looks]).detection()
    return Interval(*(np.where(known, end, 1.0) for end in (chance.value, chance.low, chance.high)))


def estimates(
    counts: Sequence[int], share: float, looks: Sequence[SecondLook | None] = (), crowding: Sequence[float | None] = ()
) -> list[Estimate]:
    """How many services there are in all, given the counts of a sweep of this share of the target space, each with its second look.

    A sample draws addresses, so services at one address are seen or missed together. `crowding` is how many of them are at the
    address of a service; with that many, the count says as much as so many times fewer would (Rao and Scott 1992).
    """
    if not counts:
        return []
    each = np.array([number or 1.0 for number in crowding] if crowding and share < 1 else np.ones(len(counts)))
    chance = _chances(looks or [None] * len(counts))
    chance = Interval(*(share * end for end in (chance.value, chance.low, chance.high)))
    whole = abundance(np.array(counts) / each, chance)
    return _estimates(Interval(whole.value * each, np.maximum(counts, whole.low * each), whole.high * each))


def _estimates(interval: Interval) -> list[Estimate]:
    return [Estimate(*map(float, ends)) for ends in zip(interval.value, interval.low, interval.high, strict=True)]


#: What is known of loss in a comparison: of all countries together, then of each; or one for all, None if nothing is.
LooksOf = Looks | None


def changes(
    rows: Sequence[Row], before: LooksOf, now: LooksOf, alike: tuple[Looks, Looks] | None = None
) -> list[CountryChange]:
    """The change of all countries together, then of each country; empty if nothing is compared.

    A country's `networks` have came and went of each network in which either is not 0. Services of a network change together, so
    the larger p counts of two tests: that of services, which knows of loss, and that of networks. The p of each country is corrected
    for all countries that are compared, also where a report is about one of them. `alike` are the detections without what is not
    known of either sweep, such as how often services are lost: it makes neither of them lose more, so the test need not take it in.
    """
    if not rows:
        return []
    total = {"country": ALL} | {name: sum(row[name] for row in rows) for name in COUNTS}
    lines = [total, *rows]
    flows = [_flows(rows), *(_flows([row]) for row in rows)]
    stayed, came, went = (np.array([row[name] for row in lines], float) for name in COUNTS[:3])
    tested = change(stayed, came, went, before=before, after=now)
    if alike:
        p = growth(stayed, came, went, *alike)
        tested = replace(tested, p_growth=p, p_least=least_growth(stayed, came + went, *alike))
    tested = replace(
        tested,
        p_growth=np.maximum(tested.p_growth, [sign_flip(flow[0] - flow[1]) for flow in flows]),
        p_least=np.maximum(tested.p_least, [least(flow.shape[1]) for flow in flows]),
    )
    adjusted = [float(tested.p_growth[0]), *map(float, holm(tested.p_growth[1:]))]
    limits = [SIGNIFICANT, *[SIGNIFICANT / len(rows)] * len(rows)]
    return [_country_change(row, flows[n], tested, n, adjusted[n], limits[n]) for n, row in enumerate(lines)]


def _flows(rows: Sequence[Row]) -> NDArray[np.int64]:
    """The services that appeared and that disappeared in each network of these countries: an array of shape (2, networks)."""
    came, went = Counter[str](), Counter[str]()
    for network in (network for row in rows for network in row["networks"]):
        came[network["network"]] += network["came"]
        went[network["network"]] += network["went"]
    return np.array([[came[name], went[name]] for name in came], np.int64).reshape(-1, 2).T


def _country_change(
    row: Row, flows: NDArray[np.int64], tested: Change, index: int, adjusted: float, limit: float
) -> CountryChange:
    direction = "up" if row["came"] > row["went"] else "down"
    too_few = FEW if float(tested.p_least[index]) >= limit else ""
    return CountryChange(
        **{name: row[name] for name in ("country", *COUNTS)},
        networks_changed=flows.shape[1],
        in_one_network=int(flows.sum(axis=0).max(initial=0)),
        new=_estimate_at(tested.new, index),
        gone=_estimate_at(tested.gone, index),
        by_loss=(float(tested.new_by_loss[index]), float(tested.gone_by_loss[index])),
        turnover=_estimate_at(tested.turnover, index),
        p_growth=float(tested.p_growth[index]),
        p_adjusted=adjusted,
        flag=direction if adjusted < SIGNIFICANT else too_few,
    )


def smallest_shown(change: CountryChange, before: LooksOf, now: LooksOf) -> int:
    """The smallest difference of new and disappeared services, of as many as there are, that the test would show."""
    return least_shown(change.stayed, change.came + change.went, before, now, SIGNIFICANT)


def joined(each: Sequence[SecondLook | None]) -> LooksOf:
    """Second looks as one array; None if one is missing."""
    known = [look for look in each if look]
    return _joined(known) if known and len(known) == len(each) else None


def _joined(known: Sequence[SecondLook]) -> Looks:
    both, second = ([getattr(look, name) for look in known] for name in ("both", "second"))
    return looks(both, second, np.array([look.counted for look in known]))


def _looks(look: SecondLook) -> Looks:
    return looks(look.both, look.second, look.counted)


def survival(recaptures: Sequence[Row]) -> list[SurvivalStep]:
    """The steps of a series, in order, for which the model of Jolly and Seber gives an estimate."""
    if len(recaptures) < 3:
        return []
    columns = (
        np.array([row[name] for row in recaptures], float)
        for name in ("caught", "marked", "again", "skipped", "removed")
    )
    stays = jolly_seber.survival(jolly_seber.Recaptures(*columns)).stays
    return [
        SurvivalStep(later["sweep"], float(later["days"]), _estimate_at(stays, index))
        for index, later in enumerate(recaptures[1:])
        if np.isfinite(stays.value[index]) and np.isfinite(stays.low[index])
    ]


def population(pair: Row) -> Estimate:
    """How many services there are, seen or not, estimated from two vantages."""
    return _captured(pair["seen_here"], pair["seen_there"], pair["seen_by_both"])


@cache
def _captured(here: int, there: int, both: int) -> Estimate:
    """Cached, since each format of a report needs it again, and large counts take long."""
    return _estimate(chapman(here, there, both))


def _estimate_at(interval: Interval, index: int) -> Estimate:
    return Estimate(float(interval.value[index]), float(interval.low[index]), float(interval.high[index]))


def _estimate(interval: Interval) -> Estimate:
    return Estimate(float(interval.value), float(interval.low), float(interval.high))
