"""The sentences of a report about the harm that the sweep's own visits did, and those of the earlier sweeps of its series."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.outcome import Arm
from pipeline.publish.data import Facts
from pipeline.statistics.difference import difference, repeated
from pipeline.statistics.interval import Interval, share
from pipeline.words.plural import plural

Row = Mapping[str, Any]
Counts = tuple[int, int]
"""How many hosts no longer answered, of how many."""


def sentences(facts: Facts) -> Iterator[str]:
    """What visits did; nothing without a harm check."""
    yield from of_arms(facts.marts["harm_arms"].rows, facts.sweep, facts.about["harm_margin"])


def of_arms(rows: Sequence[Row], sweep: str, margin: float | None) -> Iterator[str]:
    """The same from the rows of `harm_arms`, those of a sweep and of its series up to it; by the margin that was set before it."""
    own = {row["arm"]: _counts([row]) for row in rows if row["sweep"] == sweep}
    if margin is not None and Arm.VISITED in own and Arm.UNVISITED in own:
        visited, unvisited = ([row for row in rows if row["arm"] == arm] for arm in (Arm.VISITED, Arm.UNVISITED))
        yield _effect(visited, unvisited, margin)
        yield from _blocking(visited, unvisited)
    if speakers := own.get(Arm.SPEAKER):
        gone = share(*speakers)
        yield (
            f"Of {plural(speakers[1], 'host')} that spoke DICOM, {speakers[0]:,} no longer answered some time after the visit "
            f"({_percent(gone.value)}, with 95 % confidence no more than {_percent(gone.high)}), whatever the cause."
        )


def effect_of(visited: Sequence[Row], unvisited: Sequence[Row], *, blocking: bool = True) -> Interval:
    """The difference of the shares of two arms that no longer answered, over all sweeps of their rows; mart `harm_effects` has it too.

    Without `blocking`, hosts that answered another source address are left out of both.
    """
    silent = [
        sum(row["ended"] - (0 if blocking else row["blocking"] or 0) for row in rows) for rows in (visited, unvisited)
    ]
    looks = len({row["sweep"] for row in visited})
    return difference(silent[0], _counts(visited)[1], silent[1], _counts(unvisited)[1], repeated(looks))


def _effect(visited: Sequence[Row], unvisited: Sequence[Row], margin: float) -> str:
    """The comparison of hosts that were visited with hosts that were not visited yet, over all sweeps that made it."""
    ended, alive = _counts(visited)
    base_ended, base_alive = _counts(unvisited)
    sweeps = len({row["sweep"] for row in visited})
    effect = effect_of(visited, unvisited)
    measured = (
        "The sweep measured its own effect."
        if sweeps == 1
        else f"{sweeps} sweeps of this series measured their effect."
    )
    counts = (
        f"{measured} Of {plural(alive, 'host')} that had been visited, {ended:,} no longer answered afterwards; of "
        f"{plural(base_alive, 'host')} that were checked at the same time and visited later, {base_ended:,}."
    )
    estimate = (
        f"The difference is {_percent(effect.value)} (95 % interval {_percent(effect.low)} to {_percent(effect.high)})"
    )
    if effect.low > 0:
        return (
            f"{counts} {estimate}: after a visit at least {_of_100(effect.low)} more of 100 hosts no longer answer this address, "
            "whether they stopped or block it."
        )
    if effect.high > margin:
        return (
            f"{counts} These are too few to judge. {estimate}: harm of up to {_percent(effect.high)} is not excluded, and the margin "
            f"set before the sweep is {_percent(margin)}."
        )
    return (
        f"{counts} {estimate}: harm above {_percent(effect.high)} is excluded, within the margin of {_percent(margin)} that was set "
        "before the sweep."
    )


def _blocking(visited: Sequence[Row], unvisited: Sequence[Row]) -> Iterator[str]:
    """How many of the silent hosts answered another source address, and what remains; nothing where the plan has no other."""
    if all(row["blocking"] is None for row in (*visited, *unvisited)):
        return
    blocking, base = (sum(row["blocking"] or 0 for row in rows) for rows in (visited, unvisited))
    rest = effect_of(visited, unvisited, blocking=False)
    yield (
        f"Of the hosts that no longer answered, {blocking:,} of the visited and {base:,} of the others answered another address of "
        f"the census: they block the first. Without them the difference is {_percent(rest.value)} (95 % interval "
        f"{_percent(rest.low)} to {_percent(rest.high)})."
    )


def _counts(rows: Sequence[Row]) -> Counts:
    """The hosts of an arm that no longer answered, and all of them."""
    return sum(row["ended"] for row in rows), sum(row["alive"] for row in rows)


def _percent(value: Any) -> str:
    return f"{_of_100(value)} %"


def _of_100(value: Any) -> str:
    return f"{100 * float(value):.2f}".replace("-", "−")
