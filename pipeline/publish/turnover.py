"""Bars up and down over time: for each sweep the services that appeared, and those that disappeared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.publish import axis
from pipeline.publish.drawing import BLUE, ORANGE, SOFT, Size, box, line, width_of
from pipeline.publish.lines import Scale, dates, numbers
from pipeline.publish.wording import number

#: What each colour means.
LEGEND = (("New or returned", BLUE), ("Missing", ORANGE))
#: The widest bar, in pixels.
WIDEST = 26.0


@dataclass(frozen=True, slots=True)
class Turnover:
    """How many services appeared and how many disappeared up to a time."""

    at: datetime
    came: int
    went: int


def draw(pairs: Sequence[Turnover], size: Size, axis_y: str) -> str:
    """The plot; `axis_y` is the name of the axis of numbers."""
    ticks = axis.numbers(max(max(pair.came, pair.went) for pair in pairs), 3)
    left = width_of(number(int(ticks[-1])), size.letters) + 10
    width = max(2.0, min(WIDEST, (size.width - left) / (2.5 * len(pairs))))
    scale = Scale(size, left, size.width - 8, pairs[0].at, pairs[-1].at, ticks[-1], -ticks[-1], width)
    parts = numbers(scale, [*(-tick for tick in ticks[:0:-1]), *ticks], axis_y)
    for pair in pairs:
        for value, (word, colour) in zip((pair.came, -pair.went), LEGEND, strict=True):
            upper, lower = sorted((scale.y(value), scale.y(0)))
            title = f"{pair.at:%Y-%m-%d}: {number(abs(value))} {word.lower()}"
            parts.append(box(scale.x(pair.at) - width / 2, upper, width, lower - upper, colour, title))
    zero = line(scale.left, scale.y(0), scale.right, scale.y(0), f' stroke="{SOFT}" stroke-width="1"')
    return "".join([*parts, zero, *dates(scale)])
