"""`census enrich`, `resolve`, `reparse`, `report` and `sql`: from a sealed sweep to its numbers."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import MIN_CELL, OUTPUT, CitedLake, Lake, SweepId, licence_option
from pipeline.errors import InputError

SERVERS = "Name servers"
SCOPE = "Scope"
CITED = "How it is cited"


def enrich(
    lake: Lake,
    sweep_id: SweepId = None,
    second: Annotated[
        Path | None,
        typer.Option(help="Second country database, counted next to the plan's; a bundled one if not given."),
    ] = None,
    country: Annotated[
        Path | None, typer.Option(help="Where the plan's country database is now, if it was moved.")
    ] = None,
    asn: Annotated[Path | None, typer.Option(help="Where the plan's network database is now, if it was moved.")] = None,
) -> None:
    """Add country, network and product to a sealed sweep.

    \b
    census enrich lake
    census enrich lake --second dbip-country.mmdb
    census enrich lake --country /srv/old/country.mmdb

    Writes the derived tables and the sweep's marts, by the databases that the plan names; these can be moved (--country,
    --asn), but not replaced by others. `census sweep` does this itself; run it again after `census resolve` or
    `census reparse`, or with a newer version's rules.

    Exit code 3: a database is not the one that the plan was frozen with.
    """
    from pipeline.console import show
    from pipeline.enrich import geo
    from pipeline.lake import layout, store
    from pipeline.sweep import enrichment

    sweep = layout.open_sweep(store.at(lake), sweep_id)
    enrichment.enrich(sweep, second or geo.SECOND, country=country, asn=asn, message=show.message)
    for line in enrichment.done(sweep, second or geo.SECOND):
        show.message(line)


def resolve(
    lake: Lake,
    sweep_id: SweepId = None,
    nameserver: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IP[:PORT]",
            help="Recursive name server to query; repeatable.",
            rich_help_panel=SERVERS,
            show_default=False,
        ),
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", help="Query the name servers of /etc/resolv.conf.", rich_help_panel=SERVERS)
    ] = False,
    rate: Annotated[
        float,
        typer.Option(min=0.1, max=1000, help="Most queries a second, retries included.", rich_help_panel=SERVERS),
    ] = 20.0,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Look up reverse DNS for addresses that spoke DICOM.

    \b
    census resolve demo/lake --nameserver 192.0.2.53
    census enrich demo/lake            # names then identify owners (data/reference/owners.toml)

    A name counts only if it is forward-confirmed: if it leads back to its address. Writes the table host_names. Sends nothing
    to the hosts themselves, and queries no name server but those given. Names learned are kept: run it again to continue,
    or to retry lookups without an answer.
    """
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.reverse_dns import server
    from pipeline.reverse_dns.stub_resolver import StubResolver
    from pipeline.sweep import resolve as names

    if bool(nameserver) == system:
        raise InputError("command line", "give the name servers by --nameserver IP[:PORT] or by --system, not by both")
    servers = (
        server.system_servers() if system else tuple(server.parse(text, "--nameserver") for text in nameserver or ())
    )
    sweep = layout.open_sweep(store.at(lake), sweep_id)
    with show.counting() as progress:
        counts = names.resolve(sweep, StubResolver(servers, rate=rate), progress)
    show.facts(counts, as_json=json)


def reparse(lake: Lake, sweep_id: SweepId = None) -> None:
    """Re-parse a sealed sweep's stored replies.

    \b
    census reparse lake
    census enrich lake                 # then identify implementations again

    Reads the stored bytes with this version's parser and writes the results next to the originals; views then use the new
    ones. Prints how many rows changed in each column.
    """
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.sweep import reparse as reparsing

    paths = layout.find(store.at(lake), sweep_id)
    changed = reparsing.reparse(paths)
    columns = ", ".join(f"{name} in {rows}" for name, rows in changed.most_common()) or "nothing"
    show.message(f"{paths.id}: rows that changed: {columns}; `census enrich` identifies implementations again")


def report(
    lake: CitedLake,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder for the report; reports/SWEEP next to the lake if not given.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    sweep_id: SweepId = None,
    formats: Annotated[
        str, typer.Option("--format", help="Any of html,md,csv,png.", rich_help_panel=OUTPUT)
    ] = "html,md,csv,png",
    country: Annotated[
        str | None, typer.Option(help="Report this country alone, e.g. GB.", rich_help_panel=SCOPE)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="ID|DATE", help="Compare with this sweep, or the first since this date.", rich_help_panel=SCOPE
        ),
    ] = None,
    licence: Annotated[str, licence_option(CITED)] = "",
    name: Annotated[
        str,
        typer.Option(
            help="Who publishes; authorised_by of the plan if not given.", show_default=False, rich_help_panel=CITED
        ),
    ] = "",
    min_cell: Annotated[int, typer.Option(help=MIN_CELL, rich_help_panel=SCOPE)] = 5,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Report even if the sweep's proof is broken, and say so.")
    ] = False,
    least: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Write a sweep's report: aggregates only, no addresses.

    \b
    census report lake
    census report sweep.toml --licence CC-BY-4.0
    census report lake -o report-gb/ --country GB --since 2026-10-01

    Says which proof its numbers stand on, and ends with exit code 1 if that is broken (`census verify`).
    Writes a self-contained page, Markdown, tables (CSV) and figures (PNG, SVG) about the latest sealed sweep. The sweep must
    be enriched. Every figure has its title, source, date and licence in the picture; the licence is the laboratory's choice.
    Without -o, the link reports/latest next to the lake points to the report that was written last.
    """
    from pipeline.config.load import lake_and_release
    from pipeline.console import show
    from pipeline.lake import layout, store, turn
    from pipeline.publish import figures, folder, imprint
    from pipeline.publish import report as publishing
    from pipeline.publish.publisher import Wishes
    from pipeline.publish.scope import Scope
    from pipeline.sweep import run
    from pipeline.views import connection

    if output is None and (country or since):
        raise InputError("--output", "an edition of one country, or since a date, needs a folder; name one with -o")
    scope = Scope(country.upper() if country else None, since, min_cell if least is None else least)
    lake, section = lake_and_release(lake)
    wishes = Wishes(name, licence=licence).completed(section)
    paths = layout.find(store.at(lake), sweep_id) if sweep_id else layout.find_sealed(store.at(lake))
    by = imprint.imprint(paths, wishes)
    where = output or folder.next_to(store.at(lake), paths.id)
    with turn.of(paths, show.message):
        by = replace(by, proof=run.proven(store.at(lake), paths, unverified=unverified))
        with connection.connect(store.at(lake)) as con:
            written = publishing.write(con, paths.id, where, set(formats.split(",")), scope, by)
    if output is None:
        written.append(folder.point_latest(where))
    for path in written:
        show.message(str(path))
    show.warn(figures.missing())


def results(
    lake: Lake,
    sweep_id: SweepId = None,
    table: Annotated[
        str, typer.Option(help="The table whose rows are printed (docs/tables.md).", rich_help_panel=OUTPUT)
    ] = "responses",
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Go on as ranges are done, until the sweep is sealed.", rich_help_panel=OUTPUT),
    ] = False,
) -> None:
    """Print what a sweep has found, as JSON lines.

    \b
    census results lake | jq 'select(.outcome == "echoed") | .address'
    census results lake --follow
    census results lake --table associations --sweep 20261120T080000Z-weekly

    A line for each target that answered, also while the sweep is running: the rows of the ranges that are done. Lines have
    addresses and are not for publication; `census report` writes aggregates.
    """
    from pipeline.console import json_lines
    from pipeline.lake import layout, store

    json_lines.show(layout.find(store.at(lake), sweep_id), table, follow=follow)


def sql(
    lake: Lake,
    query: Annotated[str | None, typer.Argument(help="A query; without one a prompt opens.")] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="One of table, csv, json, jsonl, parquet, xlsx, geojson; table if not given.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Write to this file; its end is the format if none is given.", rich_help_panel=OUTPUT
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Print SQL for `duckdb -init` instead.", rich_help_panel=OUTPUT)
    ] = False,
    database: Annotated[
        bool,
        typer.Option("--database", help="Write LAKE/census.duckdb instead, with every view.", rich_help_panel=OUTPUT),
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Let statements use other files, extensions and the network.")
    ] = False,
) -> None:
    """Query a lake in SQL (DuckDB).

    \b
    census sql demo/lake "FROM countries"
    census sql demo/lake "SELECT outcome, count(*) FROM associations GROUP BY ALL" --format csv
    census sql demo/lake "FROM countries WHERE sweep = latest()" -o countries.xlsx
    census sql demo/lake ".help countries"
    census sql demo/lake < queries.sql
    census sql demo/lake --init > init.sql && duckdb -init init.sql
    census sql demo/lake --database && cd demo/lake && duckdb census.duckdb

    Every table and view of docs/tables.md and docs/views.md is ready under its name; docs/sql.md has examples. Statements
    read the lake's tables and nothing else: no other file, no extension, no network.
    """
    from pipeline.console import output as standard_output
    from pipeline.console import sql as prompt
    from pipeline.lake import store
    from pipeline.views import connection
    from pipeline.views import database as files

    if init or database:
        text = connection.init_sql(store.at(lake)) if init else f"{files.write(store.at(lake))}"
        standard_output.text(text)
        return
    prompt.run(store.at(lake), query, format, output, unsafe=unsafe)
