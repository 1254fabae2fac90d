"""The funnel of a sweep: how many targets pass each step."""

import math

from pipeline.publish.data import Facts, Row
from pipeline.publish.wording import number
from pipeline.words.steps import STEPS

HEADINGS = ("Step", "Targets", "% of previous step")
NOTE = "Targets (address and port) that pass each step."
#: What stands in place of a count.
NOT_REQUESTED, WITHHELD = "not requested", "withheld"


def steps(facts: Facts) -> list[dict[str, str]]:
    """The steps with their counts, the width of their bars (logarithmic; none for no target) and their share of the previous step."""
    rows = facts.marts["funnel"].rows
    widest = math.log1p(max((row["targets"] or 0 for row in rows), default=0)) or 1.0
    counts = [row["targets"] for row in rows]
    return [
        {
            "label": STEPS[row["step"]],
            "count": _passing(facts, row),
            "width": f"{100 * math.log1p(row['targets']) / widest:.1f}" if row["targets"] else "",
            "passed": f"{100 * row['targets'] / before:.3g} %" if before and row["targets"] is not None else "",
        }
        for row, before in zip(rows, [None, *counts], strict=False)
    ]


def _passing(facts: Facts, row: Row) -> str:
    """The number of targets that pass a step."""
    if row["targets"] is not None:
        return number(row["targets"])
    return NOT_REQUESTED if row["step"] == "echoes" and not facts.sends_echo else WITHHELD
