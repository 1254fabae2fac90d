"""Horizontal bars with their names on the left and their numbers at the ends, the longest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.publish.drawing import BLUE, DARK, LAND, PALE, Size, box, cut, text, width_of
from pipeline.publish.wording import number

#: The share of the width that names may take.
NAMES = 0.42


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name and its number. A `faint` one has a paler colour.

    Up to a larger number `more`, if it has one, it goes on in a paler colour; `both` has the two numbers in words.
    """

    name: str
    value: float
    faint: bool = False
    more: float = 0
    both: str = ""

    @property
    def words(self) -> str:
        """Its number, or both, in words."""
        return self.both or number(self.value)

    @property
    def label(self) -> str:
        """Its number, with the larger one in brackets."""
        return f"{number(self.value)} ({number(self.more)})" if self.more > self.value else number(self.value)


def height(bars: Sequence[Bar], letters: int) -> int:
    """How high a plot of bars is, in pixels."""
    return round(letters * (2.4 + 1.9 * len(bars)))


def draw(bars: Sequence[Bar], size: Size, axis: str) -> str:
    """The plot; `axis` is the name of the axis of numbers."""
    letters = min(size.letters, (size.height - 2) / (2.4 + 1.9 * len(bars)))
    row = min(3.0 * letters, (size.height - 2.4 * letters) / len(bars))
    left = min(max(width_of(bar.name, letters) for bar in bars), NAMES * size.width) + 8
    longest = max(max(bar.value, bar.more) for bar in bars) or 1
    room = size.width - left - max(width_of(bar.label, letters) for bar in bars) - 12
    parts = [text(left, letters, axis, letters)]
    for place, bar in enumerate(bars):
        y = 1.6 * letters + place * row
        long, end = (max(1.0, each / longest * room) if each else 0.0 for each in (bar.value, max(bar.value, bar.more)))
        middle = y + row / 2 + letters / 3
        name = cut(bar.name, letters, left - 8)
        parts += [
            text(left - 8, middle, name, letters, anchor="end", more=f' fill="{DARK}"'),
            box(left, y + 0.15 * row, long, 0.7 * row, PALE if bar.faint else BLUE, f"{bar.name}: {bar.words}"),
            text(left + end + 6, middle, bar.label, letters, more=f' fill="{DARK}"'),
        ]
        parts += [box(left + long, y + 0.15 * row, end - long, 0.7 * row, LAND)] if end > long else []
    return "".join(parts)
