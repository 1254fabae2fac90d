"""`census enrich`, `resolve`, `reparse`, `report` and `sql`: from a sealed sweep to its numbers."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Lake, SweepId
from pipeline.errors import InputError


def enrich(
    lake: Lake,
    sweep_id: SweepId = None,
    second: Annotated[
        Path | None,
        typer.Option(help="Second country database, to count by beside the plan's; a bundled one if not given."),
    ] = None,
) -> None:
    """Place the addresses that answered in countries and networks, as the plan's databases have them, and build the marts."""
    from pipeline.enrich import geo
    from pipeline.lake import layout, store
    from pipeline.sweep import enrichment

    enrichment.enrich(layout.open_sweep(store.at(lake), sweep_id), second or geo.SECOND)


def resolve(
    lake: Lake,
    sweep_id: SweepId = None,
    nameserver: Annotated[
        list[str] | None,
        typer.Option(metavar="IP[:PORT]", help="Recursive name server to ask; may be given again.", show_default=False),
    ] = None,
    system: Annotated[bool, typer.Option("--system", help="Ask the name servers of /etc/resolv.conf.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Most messages a second, retries included.")] = 20.0,
    json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Ask reverse DNS for the names of the addresses that spoke DICOM, each confirmed by where it leads (table host_names).

    \b
    census resolve demo/lake --nameserver 192.0.2.53
    census enrich demo/lake            # names then tell owners (data/reference/owners.toml)

    Nothing goes to the hosts themselves, and no name server is asked that you did not name. What was learned is kept: run it
    again to go on, or to ask again where there was no answer.
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
    with show.counting() as tell:
        told = names.resolve(sweep, StubResolver(servers, rate=rate), tell)
    show.show_facts(told, as_json=json)


def reparse(lake: Lake, sweep_id: SweepId = None) -> None:
    """Judge the replies that a sealed sweep kept by this version's parser; the views then prefer its judgement."""
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.sweep import reparse as again

    paths = layout.find(store.at(lake), sweep_id)
    changed = again.reparse(paths)
    told = ", ".join(f"{name} in {rows}" for name, rows in changed.most_common()) or "nothing"
    show.say(f"{paths.id}: this version's parser reads otherwise: {told}; `census enrich` judges identities again")


def report(
    lake: Lake,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")],
    sweep_id: SweepId = None,
    formats: Annotated[str, typer.Option("--format", help="Any of html,md,csv,png.")] = "html,md,csv,png",
    country: Annotated[str | None, typer.Option(help="The edition of a country, e.g. GB.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Compare with this sweep, or the first one from this date on.")
    ] = None,
    min_cell: Annotated[int, typer.Option(help="Merge per-country cells with fewer services than this.")] = 5,
    least: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Write the report of a sweep: aggregates only, as a self-contained page, Markdown, tables and figures."""
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.publish import report as publishing
    from pipeline.publish.scope import Scope
    from pipeline.views import connection

    scope = Scope(country.upper() if country else None, since, min_cell if least is None else least)
    paths = layout.find(store.at(lake), sweep_id)
    with connection.connect(store.at(lake)) as con:
        written = publishing.write(con, paths.id, output, set(formats.split(",")), scope)
    for path in written:
        show.say(str(path))


def sql(
    lake: Lake,
    query: Annotated[str | None, typer.Argument(help="A query; a prompt opens without one.")] = None,
    format: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    init: Annotated[bool, typer.Option("--init", help="Print SQL for `duckdb -init`.")] = False,
) -> None:
    """Ask the lake in SQL, every table and view ready, e.g. census sql demo/lake "FROM countries"."""
    from pipeline.console import sql as prompt
    from pipeline.lake import store
    from pipeline.views import connection

    if init:
        print(connection.init_sql(store.at(lake)))
        return
    prompt.ask(store.at(lake), query, format)
