"""A page of a site as HTML: its head with card and citation, and the charts on it with their pictures, data and embeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipeline import __version__
from pipeline.publish import meaning
from pipeline.publish.chart import Chart, ShownChart
from pipeline.publish.data import Facts
from pipeline.publish.publisher import UNLICENSED, Publisher

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
#: Templates and the style sheet that a report has, too.
SHARED = Path(__file__).parent.parent / "publish"
#: The parts of a site in its navigation, and where they are.
SECTIONS = (
    ("Countries", "countries/index.html"),
    ("Trends", "trends/index.html"),
    ("Products", "products/index.html"),
    ("Sweeps", "sweeps/index.html"),
    ("Method", "method/index.html"),
)
#: How high an embedded chart is, in pixels.
EMBED_HEIGHT = 620
#: Files of a site: paths below its folder, and contents.
Files = Iterator[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class SitePage:
    """What the head of a page holds. `path` is where it is, `canonical` where it stays, `picture` the path of its card."""

    path: str
    title: str
    summary: str
    citation: str
    picture: str = ""
    picture_alt: str = ""
    permalink: str = ""

    @property
    def canonical(self) -> str:
        """Where the page stays."""
        return self.permalink or self.path

    @property
    def root(self) -> str:
        """The way from the page up to the site's folder."""
        return "../" * self.path.count("/")


@cache
def _templates() -> "Environment":
    """The templates of the pages, each translated once; every text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([TEMPLATES, SHARED]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share."""

    publisher: Publisher

    def html(self, template: str, page: SitePage, **values: Any) -> str:
        """A page by its template."""
        common = {
            "page": page,
            "publisher": self.publisher,
            "sections": SECTIONS,
            "version": __version__,
            "meaning": meaning,
            "unlicensed": UNLICENSED,
        }
        return _templates().get_template(template).render(common | values)

    def shown(self, chart: Chart, folder: str, facts: Facts) -> ShownChart:
        """A chart whose files are in a folder of the site."""
        address = self.publisher.at(f"{folder}{chart.name}.html")
        frame = Markup('<iframe src="{}" title="{}" width="100%" height="{}" style="border:0" loading="lazy"></iframe>')
        embed = str(frame.format(address, chart.title, EMBED_HEIGHT))
        return ShownChart(chart, self.publisher.credit(facts, address), embed)

    def chart_files(self, shown: ShownChart, folder: str) -> Files:
        """The files of a chart: pictures, data, and the page that others embed."""
        for name, content in shown.chart.files(shown.credit):
            yield f"{folder}{name}", content
        root = "../" * folder.count("/")
        embed = (
            _templates()
            .get_template("embed.html.j2")
            .render(shown=shown, root=root, home=f"{root}index.html", publisher=self.publisher)
        )
        yield f"{folder}{shown.chart.name}.html", embed


def style() -> str:
    """The style sheet of all pages: that of a report, and what a site has besides."""
    return (SHARED / "style.css").read_text("utf-8") + (TEMPLATES / "site.css").read_text("utf-8")
