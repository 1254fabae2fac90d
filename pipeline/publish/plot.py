"""Plots as plain SVG: lines with their intervals, bars of new and missing services. Numbers, dates and fixed labels only.

Colours are those of the map, so that one style sheet serves all figures in the dark too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from pipeline.publish.worldmap import INK

WIDTH, HEIGHT = 480, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 20, 14, 30
LINE, BAND, DOWN = "#2171b5", "#5c95c9", "#b5542b"
PAPER = "#fdfdfd"
FONT = 'font-family="system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif" font-size="13"'
STEPS = 4
DATES = 4


@dataclass(frozen=True, slots=True)
class Point:
    """A number at a time, with the ends of its interval if it has one; points of one `line` are joined.

    Of a number that is `open` it is not known how much larger it may be; its circle is hollow.
    """

    at: datetime
    value: float
    low: float | None = None
    high: float | None = None
    line: int = 0
    open: bool = False


@dataclass(frozen=True, slots=True)
class Turnover:
    """How many services appeared and how many disappeared up to a time."""

    at: datetime
    came: float
    went: float


def trend(points: Sequence[Point], label: str) -> str:
    """A line for each series of comparable sweeps, not joined across a change of method; bars show intervals."""
    top = _nice(max((point.high or point.value for point in points), default=1))
    frame = _Frame([point.at for point in points], 0, top)
    parts = [*frame.axes()]
    for point in points:
        x = frame.x(point.at)
        if point.low is not None and point.high is not None:
            parts.append(_line(x, frame.y(point.low), x, frame.y(point.high), BAND, 6))
    for line in sorted({point.line for point in points}):
        path = " ".join(f"{frame.x(p.at):.1f},{frame.y(p.value):.1f}" for p in points if p.line == line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{frame.x(p.at):.1f}" cy="{frame.y(p.value):.1f}" r="3.5" {_filled(p)}><title>{_title(p)}</title></circle>'
        for p in points
    ]
    return _figure(parts, label)


def turnover(pairs: Sequence[Turnover], label: str) -> str:
    """For each sweep a bar up for services that appeared, and one down for those that disappeared."""
    top = _nice(max((max(pair.came, pair.went) for pair in pairs), default=1))
    frame = _Frame([pair.at for pair in pairs], -top, top)
    width = max(4.0, min(26.0, (WIDTH - LEFT - RIGHT) / (2.5 * max(1, len(pairs)))))
    parts = [*frame.axes()]
    for pair in pairs:
        for value, colour, word in ((pair.came, LINE, "new or returned"), (-pair.went, DOWN, "missing")):
            upper, lower = sorted((frame.y(value), frame.y(0)))
            title = f"<title>{pair.at:%Y-%m-%d}: {abs(value):,.0f} {word}</title>"
            box = f'x="{frame.x(pair.at) - width / 2:.1f}" y="{upper:.1f}" width="{width:.1f}" height="{lower - upper:.1f}"'
            parts.append(f'<rect {box} fill="{colour}">{title}</rect>')
    parts.append(_line(LEFT, frame.y(0), WIDTH - RIGHT, frame.y(0), INK, 1))
    return _figure(parts, label)


def png(svg: str) -> bytes:
    """A figure as a picture, on white."""
    import vl_convert

    white = svg.replace(">", f'><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', 1)
    data: bytes = vl_convert.svg_to_png(white, scale=2)
    return data


@dataclass(frozen=True, slots=True)
class _Frame:
    """The position of times and numbers on the figure."""

    times: Sequence[datetime]
    bottom: float
    top: float

    def x(self, at: datetime) -> float:
        first, last = min(self.times).timestamp(), max(self.times).timestamp()
        share = (at.timestamp() - first) / (last - first) if last > first else 0.5
        return LEFT + 20 + share * (WIDTH - LEFT - RIGHT - 40)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def axes(self) -> list[str]:
        """Horizontal lines with their numbers, and some of the dates."""
        parts = []
        for step in range(STEPS + 1):
            value = self.bottom + (self.top - self.bottom) * step / STEPS
            y = self.y(value)
            parts.append(_line(LEFT, y, WIDTH - RIGHT, y, INK, 0.25))
            parts.append(
                _text(LEFT - 6, y + 4, f"{abs(value):,.0f}" if self.top >= STEPS else f"{abs(value):.2g}", "end")
            )
        times = sorted(set(self.times))
        every = math.ceil(len(times) / DATES) if times else 1
        parts += [_text(self.x(at), HEIGHT - 10, f"{at:%Y-%m-%d}", "middle") for at in times[::every]]
        return parts


def _figure(parts: Sequence[str], label: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return "".join([f'{head} role="img" aria-label="{escape(label, {chr(34): "&quot;"})}">', *parts, "</svg>"])


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {FONT}>{escape(text)}</text>'


def _filled(point: Point) -> str:
    return f'fill="{PAPER}" stroke="{LINE}" stroke-width="1.5"' if point.open else f'fill="{LINE}"'


def _title(point: Point) -> str:
    if point.open:
        return f"{point.at:%Y-%m-%d}: at least {point.value:,.0f}"
    ends = "" if point.low is None or point.high is None else f" ({point.low:,.0f} to {point.high:,.0f})"
    return f"{point.at:%Y-%m-%d}: {point.value:,.0f}{ends}"


def _nice(value: float) -> float:
    """The next number that makes a readable end of a scale of four steps."""
    if value <= STEPS:
        return STEPS
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if step * power >= value)
