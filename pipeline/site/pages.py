"""The pages of a site, each with its charts and data: what is on them, in which order. Words and numbers are those of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.publish import cells, charts, funnel, method_section, sheets
from pipeline.publish.cells import Cell, ReportTable
from pipeline.publish.countries import name
from pipeline.publish.data import Facts, Row
from pipeline.publish.gather import of_country
from pipeline.publish.sentences import headline, sentences, simulated, warning
from pipeline.publish.undoubted import leading
from pipeline.publish.wording import number, percent
from pipeline.site.built import BuiltSweep
from pipeline.site.page import Files, Site, SitePage
from pipeline.words.plural import plural

#: Tables of the page about products.
PRODUCTS = ("implementations", "products")
#: Marts with a row for each sweep of a series and country: too many to be repeated for every sweep. `latest` has all rows.
GROWING = ("country_trend", "country_loss")
LATEST = "latest/"
Countries = Mapping[str, str]


def sweep(site: Site, facts: Facts, folder: str, links: Countries) -> Files:
    """The page of a sweep with all its tables and their data: under its permalink, or in the folder `latest`."""
    maps = [site.shown(chart, folder, facts) for chart in charts.maps(facts)]
    others = [site.shown(chart, folder, facts) for chart in (*charts.ranking(facts), *charts.answers(facts))]
    title, permalink = headline(facts), f"{permalink_of(facts.sweep)}index.html"
    page = SitePage(
        path=f"{folder}index.html", permalink=permalink, title=title, summary=next(sentences(facts)),
        citation=site.publisher.citation(facts, title, permalink), picture=f"{folder}map.png", picture_alt=maps[0].chart.title,
    )  # fmt: skip
    yield page.path, site.html(
        "sweep.html.j2", page, **_common(facts), maps=list(zip(("Services", "Per million addresses"), maps, strict=True)),
        others=others, funnel=funnel.steps(facts), tables=cells.tables(facts), links=links,
        method=method_section.table(facts), sent=" ".join(method_section.sent(facts)),
    )  # fmt: skip
    for shown in (*maps, *others):
        yield from site.chart_files(shown, folder)
    for sheet in sheets.labelled(facts, own=() if folder == LATEST else GROWING):
        yield f"{folder}{sheet.name}.csv", sheet.text


def front(site: Site, facts: Facts, links: Countries) -> Files:
    """The first page: the latest sweep in brief."""
    maps = [site.shown(chart, LATEST, facts) for chart in charts.maps(facts)]
    others = [site.shown(chart, LATEST, facts) for chart in (*charts.ranking(facts), *charts.answers(facts))]
    trends = [(span.label, site.shown(chart, "trends/", facts)) for span, chart in charts.trends(facts)]
    title, permalink = headline(facts), f"{permalink_of(facts.sweep)}index.html"
    page = SitePage(
        path="index.html", title=title, summary=next(sentences(facts)), citation=site.publisher.citation(facts, title, permalink),
        picture="latest/map.png", picture_alt=maps[0].chart.title,
    )  # fmt: skip
    yield page.path, site.html(
        "front.html.j2", page, **_common(facts), maps=list(zip(("Services", "Per million addresses"), maps, strict=True)),
        others=others, trends=trends, numbers=_numbers(facts), permalink=permalink, links=links,
    )  # fmt: skip


def country(site: Site, whole: Facts, code: str) -> Files:
    """The page of a country."""
    facts, folder = of_country(whole, code), f"countries/{code}/"
    trends = [(span.label, site.shown(chart, folder, facts)) for span, chart in charts.trends(facts)]
    others = [site.shown(chart, folder, facts) for chart in charts.answers(facts)]
    title, picture = headline(facts), next(iter([*(shown for _, shown in trends), *others]), None)
    page = SitePage(
        path=f"{folder}index.html", title=title, summary=next(sentences(facts)),
        citation=site.publisher.citation(facts, title, f"{folder}index.html"),
        picture=f"{folder}{picture.chart.name}.png" if picture else "latest/map.png",
        picture_alt=picture.chart.title if picture else title,
    )  # fmt: skip
    yield (
        page.path,
        site.html(
            "country.html.j2",
            page,
            **_common(facts),
            country=name(code),
            trends=trends,
            others=others,
            tables=_without_country(cells.tables(facts)),
        ),
    )
    for shown in (*(shown for _, shown in trends), *others):
        yield from site.chart_files(shown, folder)


def countries(site: Site, facts: Facts, codes: Sequence[str]) -> Files:
    """The ranking of all countries, with links to those that have a page."""
    folder = "../latest/"
    ranking = [site.shown(chart, LATEST, facts) for chart in charts.ranking(facts)]
    counted = sum(bool(row["country"] and row["services"]) for row in facts.marts["countries"].rows)
    least = plural(facts.scope.min_cell, "service")
    summary = (
        f"DICOM services answered in {plural(counted, 'country', 'countries')}. A country has a page of its own from {least} on: "
        "fewer are not distinguished."
    )
    page = _list_page(site, facts, "countries/index.html", "Countries", summary)
    links = {name(code): f"{code}/index.html" for code in codes}
    tables = cells.tables(facts, ["countries"])
    yield (
        page.path,
        site.html("list.html.j2", page, **_list(facts, others=ranking, folder=folder, tables=tables, links=links)),
    )


def trends(site: Site, facts: Facts, codes: Sequence[str]) -> Files:
    """Numbers over time: of all countries with a choice of span, and the way to each country's."""
    options = [(span.label, site.shown(chart, "trends/", facts)) for span, chart in charts.trends(facts)]
    summary = (
        f"Choose a span, or a country. The series has {number(len(facts.series))} sweeps of one name, method and vantage, so that "
        "their numbers can be compared."
        if options
        else "There is only one sweep yet that can be compared, so there is nothing to show over time."
    )
    page = _list_page(site, facts, "trends/index.html", "Trends", summary, "trends/trend.png" if options else "")
    counts = {row["country"]: leading(row) for row in facts.marts["countries"].rows}
    picks = [
        (name(code), f"../countries/{code}/index.html#time-title", number(counts.get(code, 0)))
        for code in sorted(codes, key=name)
    ]
    values = _list(facts, options=options, picks=picks if options else [], pick_title="Trend of a country")
    yield page.path, site.html("list.html.j2", page, **values)
    for _, shown in options:
        yield from site.chart_files(shown, "trends/")


def products(site: Site, facts: Facts) -> Files:
    """What services declare themselves to be."""
    shown = [site.shown(chart, "products/", facts) for chart in charts.products(facts)]
    summary = "What the services say of themselves when a stranger connects: claims, checked against how they behave."
    page = _list_page(site, facts, "products/index.html", "Products", summary, "products/declared.png" if shown else "")
    tables = cells.tables(facts, PRODUCTS)
    values = _list(facts, others=shown, tables=tables)
    yield (
        page.path,
        site.html("list.html.j2", page, **(values | {"others": shown, "folder": "../latest/" if not shown else ""})),
    )
    for each in shown:
        yield from site.chart_files(each, "products/")
    for sheet in sheets.labelled(facts):
        if sheet.name in PRODUCTS:
            yield f"products/{sheet.name}.csv", sheet.text


def method(site: Site, facts: Facts) -> Files:
    """How the census is made, what its numbers mean, and how to opt out."""
    summary = "What a sweep sends, what is counted, and what the numbers do not say."
    page = _list_page(site, facts, "method/index.html", "Method", summary)
    sent = list(method_section.sent(facts))
    prose = [
        ("What is sent", sent),
        ("How to read the numbers", method_section.NOTES),
        ("How to opt out", [_opt_out(site)]),
    ]
    yield page.path, site.html("list.html.j2", page, **_list(facts, method=method_section.table(facts), prose=prose))


def sweeps(site: Site, facts: Facts, built: Sequence[BuiltSweep]) -> Files:
    """All sweeps, the latest first, with their permalinks."""
    headings = (("Sweep", False), ("Begun", False), ("Series", False), ("Services", True), ("Countries", True))
    rows = [
        (each.sweep, f"{each.started:%Y-%m-%d}", each.name, number(each.services), number(each.countries))
        for each in sorted(built, key=lambda each: each.started, reverse=True)
    ]
    table = ReportTable(
        "sweeps", "All sweeps", "Each has a page of its own, which stays as it is.",
        tuple(Cell(text, text, numeric) for text, numeric in headings), tuple(tuple(Cell(text, text) for text in row) for row in rows),
    )  # fmt: skip
    page = _list_page(
        site, facts, "sweeps/index.html", "Sweeps", f"{number(len(built))} sweeps, each under its permalink."
    )
    links = {each.sweep: f"{each.sweep}/index.html" for each in built}
    yield page.path, site.html("list.html.j2", page, **_list(facts, tables=[table], links=links, folder=None))


def missing(site: Site, facts: Facts) -> Files:
    """The page that a server shows in place of one that is not there."""
    page = _list_page(
        site, facts, "404.html", "There is no such page", "Sweeps keep their addresses; countries do, too."
    )
    yield page.path, site.html("list.html.j2", page, **_list(facts))


def permalink_of(sweep: str) -> str:
    """The folder of a sweep's page."""
    return f"sweeps/{sweep}/"


def _common(facts: Facts) -> Row:
    return {
        "facts": facts, "headline": headline(facts), "simulated": simulated(facts), "warning": warning(facts),
        "sentences": list(sentences(facts)),
    }  # fmt: skip


def _list_page(site: Site, facts: Facts, path: str, title: str, summary: str, picture: str = "") -> SitePage:
    citation = site.publisher.citation(facts, f"{title}: {headline(facts)}", path)
    return SitePage(path, title, summary, citation, picture or "latest/map.png", title)


def _list(facts: Facts, **values: object) -> Row:
    blank: Row = {
        "options": [],
        "others": [],
        "picks": [],
        "pick_title": "",
        "tables": [],
        "links": {},
        "folder": "",
        "method": [],
        "prose": [],
    }
    return _common(facts) | blank | values


def _without_country(tables: Sequence[ReportTable]) -> list[ReportTable]:
    """The tables of one country without the column that names it in each row."""
    return [replace(table, headings=kept[0], rows=kept[1:]) for table in tables if (kept := _kept(table))]


def _kept(table: ReportTable) -> tuple[tuple[Cell, ...], ...]:
    places = [place for place, heading in enumerate(table.headings) if heading.text != "Country"]
    return tuple(tuple(row[place] for place in places) for row in (table.headings, *table.rows))


def _numbers(facts: Facts) -> list[tuple[str, str]]:
    """The numbers at the top of the first page."""
    totals = facts.totals
    numbers = [("services answered, likely decoys left out", number(leading(totals)))]
    numbers += [("services answered with likely decoys", number(totals["services"]))] if totals["decoys"] else []
    numbers.append(("countries have at least one", number(totals["countries_undoubted"])))
    if totals["accepting"] is not None and totals["services"]:
        numbers.append(
            ("of all services accepted an unknown client", percent(totals["accepting"] / totals["services"]))
        )
    return [*numbers, ("addresses were probed", number(totals["addresses_probed"]))]


def _opt_out(site: Site) -> str:
    publisher = site.publisher
    ways = [f"see {publisher.opt_out}"] if publisher.opt_out else []
    ways += [f"write to {publisher.contact}"] if publisher.contact else []
    how = " or ".join(ways) or "write to the laboratory"
    return (
        f"Owners of networks may opt out at any time: {how}, and name your blocks. Once they are entered, running sweeps leave them "
        "out within seconds, and so do all later ones."
    )
