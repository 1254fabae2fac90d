"""Horizontal bars with their names on the left and their numbers at the ends, the longest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.publish.drawing import BLUE, DARK, PALE, Size, box, cut, text, width_of
from pipeline.publish.wording import number

#: The share of the width that names may take.
NAMES = 0.42


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name and its number. A `faint` one has a paler colour."""

    name: str
    value: float
    faint: bool = False


def height(bars: Sequence[Bar], letters: int) -> int:
    """How high a plot of bars is, in pixels."""
    return round(letters * (2.4 + 1.9 * len(bars)))


def draw(bars: Sequence[Bar], size: Size, axis: str) -> str:
    """The plot; `axis` is the name of the axis of numbers."""
    letters = min(size.letters, (size.height - 2) / (2.4 + 1.9 * len(bars)))
    row = min(3.0 * letters, (size.height - 2.4 * letters) / len(bars))
    left = min(max(width_of(bar.name, letters) for bar in bars), NAMES * size.width) + 8
    longest = max(bar.value for bar in bars) or 1
    room = size.width - left - max(width_of(number(bar.value), letters) for bar in bars) - 12
    parts = [text(left, letters, axis, letters)]
    for place, bar in enumerate(bars):
        y = 1.6 * letters + place * row
        long = max(1.0, bar.value / longest * room) if bar.value else 0.0
        middle = y + row / 2 + letters / 3
        name, value = cut(bar.name, letters, left - 8), number(bar.value)
        parts += [
            text(left - 8, middle, name, letters, anchor="end", more=f' fill="{DARK}"'),
            box(left, y + 0.15 * row, long, 0.7 * row, PALE if bar.faint else BLUE, f"{bar.name}: {value}"),
            text(left + long + 6, middle, value, letters, more=f' fill="{DARK}"'),
        ]
    return "".join(parts)
