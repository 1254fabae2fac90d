"""Reports: their statements, the secrets that they keep, and their protection against text from peers."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import InputError
from pipeline.publish import report, sheets
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo

FORMATS = {"html", "md", "csv", "png"}


NAMES = ("map", "map-per-million", "ranking", "answers")
FIGURES = {f"{name}.{kind}" for name in NAMES for kind in ("svg", "png")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    report.write(demo.connect(), lake.SWEEP, path, FORMATS, Scope(min_cell=1))
    return path


@pytest.fixture(scope="module")
def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.suffix != ".png"}


class Tags(HTMLParser):
    """Collects every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_all_files_are_written(folder: Path) -> None:
    """Each format gives its files: a page, a text, one CSV for each table with a row, and each figure in two formats."""
    facts = demo.gathered(Scope(min_cell=1))
    tables = {f"{sheet.name}.csv" for sheet in sheets.sheets(facts) if sheet.rows}
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.md"} | FIGURES | tables
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES if name.endswith("png"))


def test_headline_counts_services_and_countries(texts: dict[str, str]) -> None:
    """The page states first how many services answered, then where, and that loss is not estimated."""
    assert "<h1>11 DICOM services in 2 countries answered</h1>" in texts["report.html"]
    assert (
        "9 DICOM services answered at addresses that the country database places in the United Kingdom, and 8 of them accepted"
        in texts["report.html"]
    )
    assert "which this sweep did not estimate" in texts["report.html"]
    assert texts["report.md"].startswith("# 11 DICOM services in 2 countries answered\n")


def test_no_address_is_published(texts: dict[str, str]) -> None:
    """No file contains an address that answered, an address of ours, or an address that a peer wrote into its name."""
    addresses = {row[0] for row in lake.rows(demo.connect(), "SELECT address FROM responses")}
    for text in texts.values():
        found = set(re.findall(r"(?<![\d.])\d+\.\d+\.\d+\.\d+(?![\d.])", text))
        assert not found & (addresses | {"198.51.100.7", "193.62.0.9"})
        assert "hospital.example" not in text


def test_the_page_loads_nothing(texts: dict[str, str]) -> None:
    """The page refers to nothing outside itself, except by links that a reader may follow."""
    tags = Tags(texts["report.html"]).found
    outside = [
        (tag, value) for tag, attrs in tags for key, value in attrs.items() if key in {"src", "href", "xlink:href"}
    ]
    assert [(tag, to) for tag, to in outside if not to.startswith(("#", "data:text/csv", "url(#"))] == [
        ("a", "https://www.nro.net/"),
        ("a", "https://www.naturalearthdata.com/"),
        ("a", "https://www.dicomstandard.org/current"),
    ]
    assert not re.search(r"@import|url\(\s*[\"']?https?:", texts["report.html"])


def test_hostile_names_are_text_on_the_page(texts: dict[str, str]) -> None:
    """A peer's markup becomes text: the page has one script (ours), no image and no handler."""
    tags = Tags(texts["report.html"]).found
    assert [tag for tag, _ in tags].count("script") == 1 and "img" not in {tag for tag, _ in tags}
    assert not [key for _, attrs in tags for key in attrs if key.startswith("on")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts["report.html"]


def test_nothing_hidden_is_published(texts: dict[str, str]) -> None:
    """No file contains a control character or a direction mark; their codes are shown instead."""
    for text in texts.values():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)
    assert r"\x1b[31mred\x07" in texts["report.html"] and r"\x1b[31mred\x07" in texts["products.csv"]


def test_no_cell_is_a_formula(folder: Path) -> None:
    """No text in a CSV file begins like a spreadsheet formula."""
    for path in folder.glob("*.csv"):
        cells = [cell for line in csv.reader(path.open(encoding="utf-8", newline="")) for cell in line]
        assert not [
            cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r", "-")) and not _is_number(cell)
        ]


def test_long_names_are_cut(folder: Path, texts: dict[str, str]) -> None:
    """A name of 64 kB is shortened to its beginning and its length in every file, and makes no file large."""
    for name in ("report.html", "report.md", "products.csv"):
        assert "(65,535 characters)" in texts[name]
    assert not [name for name, text in texts.items() if text.count(r"\x1b[31m") > 100]


@pytest.mark.parametrize("country", ["../../" + "x" * 65_530, "a." * 32_768, "<script>alert(1)</script>"])
def test_a_country_is_text_too(tmp_path: Path, country: str) -> None:
    """Whatever text a foreign database has as a country, the text is no path and no markup, and never fills a page."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)],
        associations=[found],
        locations=[{"ip": demo.FIRST, "country": country}],
        coverage=[{"country": country, "addresses": 5, "country_source": country}],
    )
    written = report.write(con, lake.SWEEP, tmp_path, FORMATS)
    assert {path.parent for path in written} == {tmp_path}
    texts = {path.suffix: path.read_text("utf-8") for path in written if path.suffix != ".png"}
    assert not [kind for kind, text in texts.items() if country[:2100] in text and len(country) > 2100]
    assert not [kind for kind in (".html", ".md", ".svg") if "<script>alert" in texts[kind]]


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?[\d.e+-]+", cell))


def test_markdown_of_peers_is_text(texts: dict[str, str]) -> None:
    """A peer's markup becomes entities in the Markdown file, and a peer's vertical bars add no column."""
    assert "<script" not in texts["report.md"] and "<img" not in texts["report.md"]
    (line,) = [line for line in texts["report.md"].splitlines() if "bold" in line]
    assert line.count("|") == 6


def test_our_own_words_are_not_escaped(
    history_con: duckdb.DuckDBPyConnection, tmp_path: Path, texts: dict[str, str]
) -> None:
    """The Markdown file is readable as text: entities are only in the cells of hostile names, not in sentences or headings."""
    report.write(history_con, "20260629T030000Z-weekly", tmp_path, {"md"})
    report.write(demo.connect(built="2026-01-01"), lake.SWEEP, tmp_path / "old", {"md"})
    assert "&#" not in (tmp_path / "report.md").read_text("utf-8")
    old = (tmp_path / "old" / "report.md").read_text("utf-8")
    assert "built on 2026-01-01, 170 days before the sweep" in old and "&#" not in old
    escaped = [line for line in texts["report.md"].splitlines() if "&#" in line]
    assert 0 < len(escaped) < len(demo.NAMES) and all(line.startswith("| ") for line in escaped)


def test_names_of_hosts_are_withheld_together(texts: dict[str, str]) -> None:
    """Names that look like an address or a host are merged into one row, and the counts still add up."""
    withheld = [line for line in texts["products.csv"].splitlines() if "withheld" in line]
    assert len(withheld) == 1
    rows = list(csv.DictReader(texts["products.csv"].splitlines()))
    assert sum(int(row["services"]) for row in rows) == 11


def test_rare_names_are_withheld(tmp_path: Path) -> None:
    """A name that no rule knows and few addresses declare may be its owner's, and is merged with others of its kind."""
    report.write(demo.connect(), lake.SWEEP, tmp_path, {"csv"})
    rows = list(csv.DictReader((tmp_path / "products.csv").read_text("utf-8").splitlines()))
    assert {row["implementation_version_name"] for row in rows} == {
        "(withheld: known by no rule, and seen at few addresses)",
        "",
    }
    assert sum(int(row["services"]) for row in rows) == 11


@pytest.mark.parametrize(("built", "warned"), [("2026-04-21", False), ("2026-04-20", True)])
def test_an_old_country_database_gets_a_note(tmp_path: Path, built: str, warned: bool) -> None:
    """A database older than 60 days at the sweep's date puts a note under the headline; one of 60 days does not."""
    report.write(demo.connect(built=built), lake.SWEEP, tmp_path, {"html", "md"})
    for name in ("report.html", "report.md"):
        head = (tmp_path / name).read_text("utf-8").partition("Funnel")[0]
        assert ("61 days before the sweep" in head) == ("counts per country are approximate" in head) == warned
        assert re.search(r"<h1>.* answered</h1>|^# .* answered$", head, re.MULTILINE)


def test_a_sample_has_an_interval(tmp_path: Path) -> None:
    """A report of a sampled sweep states the share that was probed, and estimates the whole with an interval."""
    report.write(demo.connect(visited=100_000), lake.SWEEP, tmp_path, {"md"})
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "The sweep probed a random 10 % of the addresses." in text
    assert "an estimated 110 DICOM services would answer (95 % interval 58 to 192)" in text


@pytest.mark.parametrize(("sweep", "formats"), [("absent\x1b[2J", {"md"}), (lake.SWEEP, {"pdf"})])
def test_what_cannot_be_written_is_an_input_error(tmp_path: Path, sweep: str, formats: set[str]) -> None:
    """A missing sweep and an unknown format are refused, and the message has no control character."""
    with pytest.raises(InputError) as caught:
        report.write(demo.connect(), sweep, tmp_path, formats)
    assert str(caught.value).isprintable()


def test_a_sweep_that_found_nothing_has_a_report(tmp_path: Path) -> None:
    """A sweep without service, location and receipt has a report that states that no service answered."""
    con = lake.connect(sweeps=[demo.sweep_row(1_000_000, 0)])
    report.write(con, lake.SWEEP, tmp_path, FORMATS)
    said = (tmp_path / "report.html").read_text("utf-8")
    assert (
        "No DICOM service answered at any of the 1,000,000 addresses probed, which does not show that there is none"
        in said
    )


def test_a_sample_that_found_nothing_bounds_what_is_there(tmp_path: Path) -> None:
    """A sample of 1 % without a service leaves room for 367 services, in the sentence and for each country."""
    con = lake.connect(
        sweeps=[demo.sweep_row(10_000, 0)], coverage=[{"country": "GB", "addresses": 600_000, "country_source": "x"}]
    )
    report.write(con, lake.SWEEP, tmp_path, {"md", "csv"})
    assert "with 95 % confidence no more than 367 could be reached" in (tmp_path / "report.md").read_text("utf-8")
    (row,) = csv.DictReader((tmp_path / "countries.csv").read_text("utf-8").splitlines())
    assert (row["services"], row["there"], row["there_low"], row["there_high"]) == ("0", "0", "0", "367")
