"""A chart: drawn for a page, as a picture that says by itself what it shows, and as the data behind it."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from markupsafe import Markup

from pipeline.publish.data import Row
from pipeline.publish.drawing import DARK, NARROW, ORANGE, PICTURE, SOFT, WIDE, Size, key, line, svg, text, width_of
from pipeline.publish.sheets import Sheet

#: The size of a picture: what cards of social networks show without cutting (Open Graph).
CANVAS = Size(1200, 630, 19)
MARGIN = 40
TITLE, NOTE, FOOT = 32, 19, 16
#: Where the plot of a picture begins, below title and subtitle, and how many lines these may have.
PLOT_TOP, MOST_LINES = 152, 2


@dataclass(frozen=True, slots=True)
class Credit:
    """What every chart says of itself: whose it is, of which sweep and day, the licence, and the address."""

    source: str
    licence: str
    address: str
    simulated: str | None = None


@dataclass(frozen=True)
class Chart:
    """A plot with its name (that of its files), its title, how to read it, its text for screen readers, and its data.

    `draw` makes the plot in a size, `legend` has what its colours mean: labels and fills.
    """

    name: str
    title: str
    subtitle: str
    spoken: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    draw: Callable[[Size], str]
    sizes: tuple[Size, ...] = (WIDE, NARROW)
    legend: tuple[tuple[str, str], ...] = ()

    @cached_property
    def drawings(self) -> list[str]:
        """The plot for a wide and for a narrow page; one alone where it serves both."""
        return [svg(size, self.draw(size), self.spoken) for size in self.sizes]

    def picture(self, credit: Credit, *, white: bool) -> str:
        """The whole picture: title, subtitle, plot, source, date and licence; on white, or on nothing."""
        parts = ['<rect width="100%" height="100%" fill="#ffffff"/>'] if white else []
        parts += _heading(self.title, self.subtitle, credit.simulated)
        room = Size(PICTURE.width, PICTURE.height - (30 if self.legend else 0), PICTURE.letters)
        parts.append(f'<g transform="translate({MARGIN} {PLOT_TOP})">{self.draw(room)}</g>')
        if self.legend:
            below = PLOT_TOP + room.height + 8
            parts.append(f'<g transform="translate({MARGIN} {below})">{key(self.legend, FOOT)}</g>')
        foot = CANVAS.height - 26
        parts += [
            line(MARGIN, foot - 24, CANVAS.width - MARGIN, foot - 24),
            text(MARGIN, foot, f"Source: {credit.source}", FOOT),
            text(CANVAS.width - MARGIN, foot, credit.licence, FOOT, anchor="end"),
        ]
        return svg(CANVAS, "".join(parts), f"{self.title}. {self.spoken}")

    def csv(self) -> str:
        """The data as CSV; cells that a spreadsheet would run are made text."""
        return Sheet(self.name, self.columns, self.rows).text

    def json(self, credit: Credit) -> bytes:
        """The data as JSON, with what the picture says."""
        document = {
            "title": self.title, "note": self.subtitle, "source": credit.source, "licence": credit.licence,
            "address": credit.address, "simulated": credit.simulated,
            "rows": [{column: row[column] for column in self.columns} for row in self.rows],
        }  # fmt: skip
        return msgspec.json.format(msgspec.json.encode(document), indent=1)

    def files(self, credit: Credit) -> Iterator[tuple[str, str | bytes]]:
        """The chart's files by name: pictures as SVG and PNG, on white and on nothing, and the data."""
        clear = self.picture(credit, white=False)
        yield f"{self.name}.svg", clear
        yield f"{self.name}.png", png(self.picture(credit, white=True))
        yield f"{self.name}-transparent.png", png(clear)
        yield f"{self.name}.csv", self.csv()
        yield f"{self.name}.json", self.json(credit)


@dataclass(frozen=True, slots=True)
class ShownChart:
    """A chart on a page: what it says of itself, and the text that embeds it elsewhere."""

    chart: Chart
    credit: Credit
    embed: str = ""

    @property
    def drawings(self) -> list[Markup]:
        """The drawings as they are: their texts are escaped where they are drawn."""
        return [Markup(drawing) for drawing in self.chart.drawings]  # noqa: S704 - our own drawing


def png(picture: str) -> bytes:
    """A picture as PNG."""
    import vl_convert

    data: bytes = vl_convert.svg_to_png(picture, scale=1)
    return data


def _heading(title: str, subtitle: str, simulated: str | None) -> Iterator[str]:
    """Title and subtitle of a picture, wrapped and bounded, under what all must know who see a simulation."""
    if simulated:
        yield text(CANVAS.width - MARGIN, 30, simulated, FOOT, anchor="end", more=f' font-weight="700" fill="{ORANGE}"')
    y = 62.0
    letters = min(TITLE, (CANVAS.width - 2 * MARGIN) / width_of(title, 0.95))
    yield text(MARGIN, y, title, letters, more=f' font-weight="700" fill="{DARK}"')
    y += 1.2 * TITLE
    for words in _wrapped(subtitle, NOTE, MOST_LINES):
        yield text(MARGIN, y - 6, words, NOTE, more=f' fill="{SOFT}"')
        y += 1.3 * NOTE


def _wrapped(words: str, letters: int, most: int) -> list[str]:
    """The lines of a text that fit the width of a picture, `most` at most; what is too long ends in dots."""
    width = int((CANVAS.width - 2 * MARGIN) / width_of("x", 0.85 * letters))
    return textwrap.wrap(words, width, max_lines=most, placeholder=" …") or [""]
