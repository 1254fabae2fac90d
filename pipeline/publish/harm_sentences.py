"""What a report says of the harm that its own visits did."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.outcome import Arm
from pipeline.statistics.difference import difference
from pipeline.statistics.interval import share

Counts = tuple[int, int]
"""How many were gone, of how many that were alive."""


def sentences(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Of the rows of `harm_arms`: what visits did, each with the bound that the sample allows; nothing without a harm check."""
    found: dict[str, Counts] = {row["arm"]: (row["ended"], row["alive"]) for row in rows}
    visited, unvisited = found.get(Arm.VISITED), found.get(Arm.UNVISITED)
    if visited and unvisited:
        yield _arms(visited, unvisited)
    if speakers := found.get(Arm.SPEAKER):
        told = share(*speakers)
        yield (
            f"Of {speakers[1]:,} hosts that spoke DICOM, {speakers[0]:,} no longer answered some time after the visit "
            f"({_percent(told.value)}, with 95 % confidence no more than {_percent(told.high)}), be it for the visit or not."
        )


def _arms(visited: Counts, unvisited: Counts) -> str:
    """The comparison of those that were visited with those that were not yet."""
    told = difference(*visited, *unvisited)
    verdict = (
        "visits end hosts" if told.low > 0 else "the sample shows no harm, and no more than the interval's upper end"
    )
    return (
        f"The sweep measured its own effect: of {visited[1]:,} hosts that a visit had reached {visited[0]:,} were gone after, of "
        f"{unvisited[1]:,} with no visit between {unvisited[0]:,}; the visit itself makes {_percent(told.value)} gone "
        f"(95 % interval {_percent(told.low)} to {_percent(told.high)}): {verdict}."
    )


def _percent(value: Any) -> str:
    return f"{100 * float(value):.2f} %"
