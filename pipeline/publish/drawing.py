"""Parts of a drawing as SVG: texts, lines and boxes. Every text is escaped; numbers have a tenth of a pixel."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

#: Colours of a drawing; the style sheet replaces them in the dark.
BLUE, PALE, ORANGE, SOFT, DARK, PAPER, LAND = (
    "#2171b5", "#5c95c9", "#b5542b", "#565d66", "#1b2430", "#fdfdfd", "#dfe3e8",
)  # fmt: skip
FONT = 'font-family="system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif"'
QUOTES = {'"': "&quot;"}
#: The width of a letter by its height, on average, in the fonts above.
LETTER = 0.59


class Size(NamedTuple):
    """The size of a plot and the height of its letters, in pixels."""

    width: int
    height: int
    letters: int


#: On a page, on a phone, and within a picture.
WIDE, NARROW, PICTURE = Size(860, 380, 14), Size(350, 280, 13), Size(1120, 400, 19)


def text(x: float, y: float, words: str, letters: float, *, anchor: str = "start", more: str = "") -> str:
    """A text at a place; soft unless `more` has another fill."""
    fill = "" if "fill=" in more else f'fill="{SOFT}" '
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{letters:g}" {fill}{FONT}{more}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    """A thin soft line, or as `more` says."""
    drawn = more or f' stroke="{SOFT}" stroke-width="0.35"'
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{drawn}/>'


def box(x: float, y: float, width: float, height: float, colour: str, title: str = "") -> str:
    """A filled rectangle, with a text that a mouse shows."""
    inner = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">{inner}</rect>'


def key(pairs: Sequence[tuple[str, str]], letters: float) -> str:
    """What colours, or other fills, mean: a box and a label each, in a row."""
    x, parts = 0.0, []
    for label, fill in pairs:
        parts.append(f'<rect x="{x:.1f}" y="0" width="20" height="16" fill="{fill}" stroke="{LAND}"/>')
        parts.append(text(x + 27, 14, label, letters))
        x += 27 + 24 + width_of(label, letters)
    return "".join(parts)


def svg(size: Size, parts: str, label: str = "", more: str = "") -> str:
    """A whole drawing; with a label it is one image to a screen reader, without one it is decoration."""
    role = f'role="img" aria-label="{escape(label, QUOTES)}"' if label else 'aria-hidden="true"'
    frame = f'viewBox="0 0 {size.width} {size.height}" width="{size.width}" height="{size.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame} {role}{more}>{parts}</svg>'


def width_of(words: str, letters: float) -> float:
    """About how wide a text is, in pixels."""
    return LETTER * letters * len(words)


def cut(words: str, letters: float, width: float) -> str:
    """A text that fits a width, with dots in place of what is cut off."""
    most = max(4, int(width / (LETTER * letters)))
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"
