"""A line over time with its interval as a band: round ticks, named axes, and the last number at the end of the line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.publish import axis
from pipeline.publish.drawing import BLUE, DARK, PALE, PAPER, SOFT, Size, line, text, width_of
from pipeline.publish.wording import number

#: Up to this many sweeps each has a point of its own.
POINTS = 80
AXIS_X = "Start of the sweep"


@dataclass(frozen=True, slots=True)
class Point:
    """A number at a time, with the ends of its interval if it has one.

    Of a number that is `open` it is not known how much larger it may be; its circle is hollow.
    """

    at: datetime
    value: float
    low: float | None = None
    high: float | None = None
    open: bool = False


def estimated(at: datetime, value: float, low: float, high: float) -> Point:
    """The point of an estimate: without an interval where it is the count, open where it has no upper end."""
    if math.isinf(high):
        return Point(at, value, open=True)
    return Point(at, value) if low == high else Point(at, value, low, high)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where times and numbers are on a plot."""

    size: Size
    left: float
    right: float
    first: datetime
    last: datetime
    top: float
    bottom: float = 0.0
    inset: float = 0.0
    """How far the first and the last time are from the ends of the axis."""

    def x(self, at: datetime) -> float:
        """Where a time is."""
        span = (self.last - self.first).total_seconds()
        share = (at - self.first).total_seconds() / span if span else 0.5
        return self.left + self.inset + share * (self.right - self.left - 2 * self.inset)

    def y(self, value: float) -> float:
        """Where a number is."""
        above, below = 2.2 * self.size.letters, self.size.height - 3.4 * self.size.letters
        return below - (value - self.bottom) / (self.top - self.bottom) * (below - above)


def draw(points: Sequence[Point], size: Size, axis_y: str, every: Sequence[float] = ()) -> str:
    """The plot of a number over time; `axis_y` is the name of the axis of numbers, `every` a larger number at each point, dashed."""
    ticks = axis.numbers(max([*(point.high or point.value for point in points), *every]), 5)
    letters = size.letters
    left = width_of(number(int(ticks[-1])), letters) + 10
    right = size.width - max(width_of(number(int(last)), letters) for last in (points[-1].value, *every[-1:])) - 12
    scale = Scale(size, left, right, points[0].at, points[-1].at, ticks[-1])
    parts = [
        *numbers(scale, ticks, axis_y),
        *dates(scale),
        _band(scale, points),
        _dashed(scale, [point.at for point in points], every),
        _path(scale, points),
        *_circles(scale, points),
        _end(scale, points[-1]),
    ]
    return "".join(parts)


def numbers(scale: Scale, ticks: Sequence[float], axis_y: str) -> list[str]:
    """The axis of numbers with its name and a thin line at each tick."""
    letters = scale.size.letters
    parts = [text(0, letters, axis_y, letters)]
    for tick in ticks:
        y, label = scale.y(tick), number(int(abs(tick)))
        parts += [
            line(scale.left, y, scale.right, y),
            text(scale.left - 6, y + letters / 3, label, letters, anchor="end"),
        ]
    return parts


def dates(scale: Scale) -> list[str]:
    """The axis of times below a plot."""
    letters, base = scale.size.letters, scale.y(scale.bottom)
    most = max(2, int((scale.right - scale.left) / (letters * 7)))
    parts = [line(scale.left, base, scale.right, base, f' stroke="{SOFT}" stroke-width="1"')]
    for at, label in axis.dates(scale.first, scale.last, most):
        half = width_of(label, letters) / 2
        x = min(max(scale.x(at), half), scale.size.width - half)
        parts += [
            line(scale.x(at), base, scale.x(at), base + 5, f' stroke="{SOFT}" stroke-width="1"'),
            text(x, base + 1.4 * letters, label, letters, anchor="middle"),
        ]
    return [*parts, text(scale.right, base + 2.9 * letters, AXIS_X, letters, anchor="end")]


def _band(scale: Scale, points: Sequence[Point]) -> str:
    """The intervals, as one area for each run of sweeps that have one."""
    areas, run = [], []
    for point in [*points, Point(points[-1].at, 0.0)]:
        if point.low is not None and point.high is not None:
            run.append((scale.x(point.at), scale.y(point.low), scale.y(point.high)))
        elif run:
            areas.append(_area(run))
            run = []
    return "".join(f'<path d="{area}" fill="{PALE}" fill-opacity="0.3"/>' for area in areas)


def _area(run: Sequence[tuple[float, float, float]]) -> str:
    wide = run if len(run) > 1 else [(run[0][0] - 3, *run[0][1:]), (run[0][0] + 3, *run[0][1:])]
    upper = [f"{x:.1f},{high:.1f}" for x, _, high in wide]
    lower = [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(wide)]
    return f"M{' L'.join([*upper, *lower])}Z"


def _dashed(scale: Scale, times: Sequence[datetime], every: Sequence[float]) -> str:
    """The larger numbers as a thin dashed line, with the last one at its end where the line below leaves room for it."""
    if not every:
        return ""
    way = " ".join(f"{scale.x(at):.1f},{scale.y(value):.1f}" for at, value in zip(times, every, strict=True))
    style = f'fill="none" stroke="{SOFT}" stroke-width="1.2" stroke-dasharray="5 4"'
    last = text(
        scale.right + 8, scale.y(every[-1]) - scale.size.letters / 3, number(int(every[-1])), scale.size.letters
    )
    return f'<polyline points="{way}" {style}/>{last}'


def _path(scale: Scale, points: Sequence[Point]) -> str:
    way = " ".join(f"{scale.x(point.at):.1f},{scale.y(point.value):.1f}" for point in points)
    return f'<polyline points="{way}" fill="none" stroke="{BLUE}" stroke-width="2" stroke-linejoin="round"/>'


def _circles(scale: Scale, points: Sequence[Point]) -> list[str]:
    """A point for each sweep, hollow where the number may be any larger; none if there are too many to tell apart."""
    if len(points) > POINTS:
        return []
    return [
        f'<circle cx="{scale.x(point.at):.1f}" cy="{scale.y(point.value):.1f}" r="{scale.size.letters / 4:.1f}" '
        f'fill="{PAPER if point.open else BLUE}" stroke="{BLUE}" stroke-width="1.5"><title>{spoken(point)}</title></circle>'
        for point in points
    ]


def _end(scale: Scale, last: Point) -> str:
    """The last number, at the end of the line."""
    place = scale.right + 8, scale.y(last.value) + scale.size.letters / 3
    return text(*place, number(int(last.value)), scale.size.letters, more=f' font-weight="600" fill="{DARK}"')


def spoken(point: Point) -> str:
    """A point in words."""
    if point.open:
        return f"{point.at:%Y-%m-%d}: at least {point.value:,.0f}"
    ends = "" if point.low is None or point.high is None else f" ({point.low:,.0f} to {point.high:,.0f})"
    return f"{point.at:%Y-%m-%d}: {point.value:,.0f}{ends}"
