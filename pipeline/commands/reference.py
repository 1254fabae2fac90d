"""`census refresh`: newer databases of countries, networks and announced prefixes."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import OUTPUT
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import InputError


def refresh(
    kind: Annotated[list[DatabaseKind] | None, typer.Argument(help="What to refresh; all three if not given.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE|URL", help="Take this one; by default what each kind's publisher has."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to install; $XDG_DATA_HOME/dicom-census/reference if not given.", show_default=False),
    ] = None,
    built: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="When a text without a date was made.")
    ] = None,
    licence: Annotated[str, typer.Option(help="The licence of the database that --from names.")] = "not stated",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Install newer country, network and prefix databases.

    \b
    census refresh
    census refresh country --from dbip-country-lite-2026-11.mmdb.gz --licence "CC BY 4.0"
    census refresh asn --from asn-ipv4.csv --date 2026-11-01
    census refresh announced --from https://example.net/routeviews-rv2-20261128-1200.pfx2as.gz

    Without --from, databases that anybody may use are fetched (data/reference/sources.toml): the only requests that go out. A
    database that is damaged, older than the installed one, or of another kind is refused. Older builds stay, for the sweeps
    that were planned with them. Prints what changed, and the keys of [geo] that use the databases.
    """
    from pipeline.console import show
    from pipeline.enrich import renew
    from pipeline.sweep import publishers
    from pipeline.sweep.publishers import Source

    kinds = kind or list(DatabaseKind)
    if source and len(kinds) != 1:
        raise InputError("--from", f"holds one kind of database; name it: {', '.join(DatabaseKind)}")
    given = Source(source, licence, built.date() if built else None) if source else None
    today = datetime.now(UTC).date()
    sources = [(each, given or publishers.published(each, today)) for each in kinds]
    where = folder or renew.default_folder()
    for build in publishers.refresh(sources, where):
        facts = dataclasses.asdict(build) | {"path": str(build.path)}
        show.facts(facts if json else _lines(facts, where), as_json=json)


def _lines(facts: dict[str, object], folder: Path) -> dict[str, object]:
    """What changed, for people."""
    name = facts["name"]
    if not facts["new"]:
        return {str(name): f"is up to date: built {facts['build_date']}"}
    before = f", before that {facts['previous']}" if facts["previous"] else ""
    lines: dict[str, object] = {str(name): f"built {facts['build_date']}{before}, sha256 {facts['sha256']}"}
    lines["ranges"] = f"{facts['ranges']:,} of {facts['addresses']:,} addresses"
    if facts["changed"] is not None:
        lines["changed"] = f"{facts['changed']:,} addresses"
    return lines | {"key of [geo]": f'{name} = "{folder.resolve() / f"{name}.parquet"}"'}
