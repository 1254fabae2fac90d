"""The sentences of a report about the harm that the sweep's own visits did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.outcome import Arm
from pipeline.statistics.difference import difference
from pipeline.statistics.interval import share
from pipeline.words.plural import plural

#: The largest share of hosts of which a sweep may say that its visits do no more: set beforehand, whatever a sample says.
MARGIN = 0.01

Counts = tuple[int, int]
"""How many hosts were gone, of how many that had been alive."""


def sentences(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What visits did, from the rows of `harm_arms`, each with the bound that the sample allows; nothing without a harm check."""
    arms: dict[str, Counts] = {row["arm"]: (row["ended"], row["alive"]) for row in rows}
    visited, unvisited = arms.get(Arm.VISITED), arms.get(Arm.UNVISITED)
    if visited and unvisited:
        yield _effect(visited, unvisited)
    if speakers := arms.get(Arm.SPEAKER):
        gone = share(*speakers)
        yield (
            f"Of {plural(speakers[1], 'host')} that spoke DICOM, {speakers[0]:,} no longer answered some time after the visit "
            f"({_percent(gone.value)}, with 95 % confidence no more than {_percent(gone.high)}), whatever the cause."
        )


def _effect(visited: Counts, unvisited: Counts) -> str:
    """The comparison of hosts that were visited with hosts that were not visited yet."""
    effect = difference(*visited, *unvisited)
    counts = (
        f"The sweep measured its own effect. Of {plural(visited[1], 'host')} that it had visited, {visited[0]:,} no longer answered "
        f"afterwards; of {plural(unvisited[1], 'host')} without a visit in between, {unvisited[0]:,}."
    )
    interval = f"95 % interval {_percent(effect.low)} to {_percent(effect.high)}"
    if effect.low > 0:
        return (
            f"{counts} After a visit, a further {_percent(effect.value)} of hosts no longer answered this address ({interval}), "
            "whether they stopped or began to block us."
        )
    if effect.high > MARGIN:
        return (
            f"{counts} These are too few to judge: the difference is {_percent(effect.value)} ({interval}), and harm of up to "
            f"{_percent(effect.high)} is not excluded."
        )
    return f"{counts} The difference is {_percent(effect.value)} ({interval}): harm above {_percent(effect.high)} is excluded."


def _percent(value: Any) -> str:
    return f"{100 * float(value):.2f} %".replace("-", "−")
