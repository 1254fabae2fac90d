"""A whole site over a made-up history: its pages, files and links, what it holds of hosts (nothing), and how it grows."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from pipeline.config.sections import IdentitySection
from pipeline.errors import CensusError, InputError
from pipeline.publish.publisher import UNLICENSED, Wishes, publisher
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import headline, sentences
from pipeline.site import pages, read_lake, write_site
from pipeline.site.page import Site
from tests.publish import hidden, history
from tests.site.conftest import WEEKS, example_lab, read, sweeps, write

LATEST = "20260608T030000Z-weekly"


class Links(HTMLParser):
    """The addresses that a page names, and the elements of its kinds."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for key, value in attrs if key in ("href", "src", "content") and value]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file as text, escapes decoded; pictures as their bytes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), unquote(path.read_bytes().decode("latin-1"))


def test_every_page_is_there(site: Path) -> None:
    """Front, countries above the small-cell rule, trends, products, method, every sweep, latest, and the feed."""
    pages = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")}
    ids = {sweep.id for sweep in sweeps(WEEKS)}
    assert pages == {
        ".", "countries", "trends", "products", "method", "sweeps", "latest",
        *(f"sweeps/{sweep}" for sweep in ids), *(f"countries/{code}" for code in ("DE", "GB", "US")),
    }  # fmt: skip
    assert (site / "404.html").is_file() and (site / "feed.xml").is_file() and (site / "style.css").is_file()
    assert not (site / "countries" / "SG").exists()


def test_every_link_leads_somewhere(site: Path) -> None:
    """Links within the site are relative and lead to files; nothing at all is loaded from elsewhere."""
    for page in site.rglob("*.html"):
        for tag, address in Links(page).found:
            parts = urlsplit(address)
            if (tag == "link" and not parts.scheme) or (tag == "a" and not parts.scheme):
                assert (page.parent / parts.path).resolve().is_file() or not parts.path, (page, address)
            assert tag not in ("script", "img", "iframe", "object", "source"), page
        assert not re.search(r"url\(\s*['\"]?(?!#)", page.read_text("utf-8")), page
    assert "url(" not in (site / "style.css").read_text("utf-8") and "@import" not in (site / "style.css").read_text(
        "utf-8"
    )


def test_words_and_numbers_are_those_of_the_report(site: Path, site_lake: Path) -> None:
    """The headline and each sentence of the report are on the sweep's page, as they are there."""
    ready, _ = read_lake.sealed(site_lake)
    history_ = read_lake.history(ready, Scope())
    facts = read(history_, [paths for paths in ready if paths.id == LATEST])
    page = unescape((site / "sweeps" / LATEST / "index.html").read_text("utf-8"))
    assert headline(facts) in page and all(sentence in page for sentence in sentences(facts))
    weeks = [sweep for sweep in sweeps(WEEKS) if sweep.name == "weekly"]
    rows = list(csv.DictReader(io.StringIO((site / "trends" / "trend.csv").read_text("utf-8"))))
    assert [int(row["services"]) for row in rows] == [len(sweep.seen) for sweep in weeks]
    british = [sum(host.country == "GB" for host in sweep.seen) for sweep in weeks]
    rows = list(csv.DictReader(io.StringIO((site / "countries/GB/trend.csv").read_text("utf-8"))))
    assert [int(row["services"]) for row in rows] == british


def test_a_chart_says_what_it_is(site: Path) -> None:
    """Each chart has SVG, two PNG, CSV, JSON and an embed; the picture names title, axes, source, date and licence."""
    vectors = sorted(site.rglob("*.svg"))
    assert {path.stem for path in vectors} == {"map", "map-per-million", "ranking", "answers", "trend", "declared"}
    for path in vectors:
        words = " ".join(one.text or "" for one in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text"))
        assert "Source: Example <Lab>, DICOM census, sweep of 2026-" in words and "CC BY 4.0" in words, path
        for end in (".png", "-transparent.png", ".csv", ".json", ".html"):
            assert path.with_name(f"{path.stem}{end}").stat().st_size > 20
        for end in (".png", "-transparent.png"):
            assert path.with_name(f"{path.stem}{end}").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        document = json.loads(path.with_suffix(".json").read_bytes())
        assert document["title"] in words and document["address"].startswith("https://census.example.org/dicom/")
        columns = next(csv.reader(io.StringIO(path.with_suffix(".csv").read_text("utf-8"))))
        assert list(document["rows"][0]) == columns
    trend = (site / "trends" / "trend.svg").read_text("utf-8")
    assert "Start of the sweep" in trend and ">DICOM services<" in trend


def test_cards_citation_and_licence_are_on_each_page(site: Path) -> None:
    """Each page has a card with a picture that is there, an address that stays, how to cite it, and the licence."""
    for page in site.rglob("index.html"):
        text, found = page.read_text("utf-8"), Links(page).found
        cards = [value for tag, value in found if tag == "meta" and value.endswith(".png")]
        assert len(cards) == 1 and cards[0].startswith("https://census.example.org/dicom/"), page
        assert (site / cards[0].removeprefix("https://census.example.org/dicom/")).is_file(), page
        for words in (
            'property="og:title"',
            'rel="canonical"',
            "Cite and reuse",
            "CC BY 4.0",
            "Example &lt;Lab&gt; (2026)",
            "Opt out",
        ):
            assert words in text, (page, words)
    latest = (site / "latest" / "index.html").read_text("utf-8")
    assert f'rel="canonical" href="https://census.example.org/dicom/sweeps/{LATEST}/index.html"' in latest


def test_without_a_licence_each_page_says_so(site_lake: Path) -> None:
    """No licence is assumed: pages and embeds name none, and say that one has to ask."""
    ready, _ = read_lake.sealed(site_lake)
    facts = read(read_lake.history(ready, Scope()), ready[-1:])
    site = Site(publisher(Wishes("Example Lab"), IdentitySection()))
    for path, content in (*pages.method(site, facts), *pages.products(site, facts)):
        if path.endswith("index.html"):
            assert UNLICENSED in str(content) and 'rel="license' not in str(content)
        elif path.endswith(".html"):
            assert "license" not in str(content) and "Example Lab" in str(content)


def test_nothing_of_a_host_is_in_any_file(site: Path) -> None:
    """No file has an address in any notation, a host name, AE title, certificate's subject, key's fingerprint, owner or vantage."""
    ips = {host.ip for sweep in sweeps(WEEKS) for host in sweep.seen} | {
        row[0] for sweep in sweeps(WEEKS) for row in sweep.others
    }
    names = {history.HOSTS, "example-trust", "Example Janet", "Example Health Network", "64500", "64501", "pacs"}
    names |= {sweep.vantage for sweep in history.history()}
    files = dict(texts(site))
    assert hidden.found(files, ips) == []
    assert not [(name, each) for name, text in files.items() for each in names if each.lower() in text.lower()]


def test_a_new_sweep_leaves_earlier_pages_as_they_are(tmp_path: Path) -> None:
    """After one more sweep its page is new, those of earlier sweeps keep their bytes and times, and front and feed follow."""
    lake, folder = tmp_path / "lake", tmp_path / "public"
    history.write(lake, sweeps(1))
    write(lake, folder)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (folder / "sweeps").rglob("2026*/*")}
    front = (folder / "index.html").read_bytes()
    history.write(lake, [sweep for sweep in sweeps(2) if sweep.week == 1 and sweep.name == "weekly"])
    said = write(lake, folder)
    assert [line.partition(":")[0] for line in said[:-1]] == ["20260608T030000Z-weekly"]
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before}
    assert (folder / "index.html").read_bytes() != front
    assert "20260608T030000Z-weekly" in (folder / "feed.xml").read_text() and (folder / "trends" / "trend.svg").exists()
    assert write(lake, folder)[:-1] == []


def test_a_permalink_has_the_rows_of_its_own_sweep(site: Path) -> None:
    """A table with a row for each country and sweep is whole in `latest`; under a permalink it has the sweep's own rows."""

    def sweeps_of(folder: Path) -> set[str]:
        with (folder / "country_trend.csv").open(newline="") as file:
            return {row["sweep"] for row in csv.DictReader(file)}

    assert len(sweeps_of(site / "latest")) > 1
    own = {path.name: sweeps_of(path) for path in (site / "sweeps").iterdir() if path.is_dir()}
    assert own and all(found <= {name} for name, found in own.items())


def test_a_country_keeps_its_page(site_lake: Path, site: Path) -> None:
    """A country that falls below the small-cell rule keeps its address; what would distinguish its few services is not there."""
    ready, _ = read_lake.sealed(site_lake)
    history_ = read_lake.history(ready, Scope())
    facts = read(history_, ready[-1:])
    assert "SG" not in write_site._codes(facts, write_site.BuiltSite())
    assert "SG" in write_site._codes(facts, write_site.BuiltSite(countries=("SG",)))


def test_what_is_not_sealed_or_proven_is_not_published(site_lake: Path, tmp_path: Path) -> None:
    """A lake without a sealed sweep, and a series that it has not, are refused; so is all that a broken proof is under."""
    (tmp_path / "lake" / "plans" / "sweep=20260601T030000Z-weekly").mkdir(parents=True)
    with pytest.raises(InputError, match="no sweep that is sealed and enriched"):
        write(tmp_path / "lake", tmp_path / "public")
    order = write_site.Order(site_lake, tmp_path / "public", example_lab(), Scope(), "monthly")
    with pytest.raises(InputError, match="--series: monthly is not one of second, weekly"):
        list(write_site.write(order, lambda ids: dict.fromkeys(ids, "")))

    def broken(ids: object) -> dict[str, str]:
        raise CensusError("does not add up")

    order = write_site.Order(site_lake, tmp_path / "public", example_lab(), Scope(), "weekly")
    with pytest.raises(CensusError, match="does not add up"):
        list(write_site.write(order, broken))
    assert not (tmp_path / "public").exists()
