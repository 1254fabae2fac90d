"""`census release`: a citable data set of sealed sweeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import OUTPUT, CitedLake, MinCell, SweepId
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.config.sections import ReleaseSection

CITED = "How it is cited"
MICRODATA = "Rows of services"


def release(
    lake: CitedLake,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="New folder for the data set.", rich_help_panel=OUTPUT, show_default=False),
    ],
    sweep_id: SweepId = None,
    series: Annotated[bool, typer.Option("--series", help="All sweeps of its series up to it, too.")] = False,
    licence: Annotated[
        str, typer.Option(metavar="SPDX", help="Licence of the data, e.g. CC-BY-4.0.", rich_help_panel=CITED)
    ] = "",
    creator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help='A maker: "Family, Given (ORCID)", or a body; repeatable.',
            rich_help_panel=CITED,
            show_default=False,
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the data set.", rich_help_panel=CITED)] = "",
    doi: Annotated[str, typer.Option(help="DOI that is reserved for it.", rich_help_panel=CITED)] = "",
    microdata: Annotated[
        bool,
        typer.Option("--microdata", help="A row for each service, by the disclosure rule.", rich_help_panel=MICRODATA),
    ] = False,
    k: Annotated[
        int | None,
        typer.Option(
            "--k", min=2, help="Services of a kind that are shown at least; 5 if not given.", rich_help_panel=MICRODATA
        ),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(help="Folder of the last release with microdata of this lake.", rich_help_panel=MICRODATA),
    ] = None,
    first: Annotated[
        bool, typer.Option("--first", help="No release with microdata was made before.", rich_help_panel=MICRODATA)
    ] = False,
    min_cell: MinCell = 5,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Release even if the sweep's proof is broken, and say so.")
    ] = False,
) -> None:
    """Write a citable data set of a sealed sweep, or of its series.

    \b
    census release lake -o release/ --licence CC-BY-4.0 --creator "Example Laboratory"
    census release sweep.toml -o release/ --series
    census release sweep.toml -o release-2/ --microdata --previous release/

    The published tables as Parquet and CSV, with dictionary, Frictionless, Croissant, RO-Crate and DataCite descriptions,
    citation, checksums, the SQL behind each table, and `reproduce.py`: it computes the report's headline, tables and figures
    again from this folder alone, with nothing but DuckDB (docs/release.md). No addresses.

    A sweep whose proof is broken is refused, with exit code 1 (`census verify`).
    """
    from pipeline.console import show
    from pipeline.lake import layout, store, turn
    from pipeline.publish.scope import Scope
    from pipeline.release import bundle
    from pipeline.release.citation import require_citable
    from pipeline.release.microdata import previous as shown_before
    from pipeline.sweep import run
    from pipeline.views import connection

    where, section = _section(lake, licence, creator or [], title=title, doi=doi)
    section = _with_microdata(section, k, wanted=microdata)
    require_citable(section)
    if section.microdata and (previous is None) == (not first):
        raise InputError(
            "--previous", "name the folder of the last release with microdata, or say --first if there was none"
        )
    Scope(min_cell=min_cell)
    paths = layout.find_sealed(store.at(where), sweep_id)
    earlier = shown_before(previous)
    with turn.of(paths, show.message), connection.connect(store.at(where)) as con:
        sweeps = bundle.series(con, paths.id) if series else (paths.id,)
        read = [*sweeps, *(each.sweep for each in earlier)]
        proof = run.proofs(store.at(where), read, unverified=unverified)[paths.id]
        written = bundle.write(con, output, bundle.Wanted(sweeps, section, min_cell, earlier, _without_key(proof)))
    for path in written:
        show.message(str(path))


def _section(lake: str, licence: str, creators: list[str], *, title: str, doi: str) -> tuple[str, "ReleaseSection"]:
    """The lake, and section [release] of its configuration, if one is named; options stand in for keys."""
    import msgspec

    from pipeline.config.load import lake_and_release

    lake, section = lake_and_release(lake)
    given = {"licence": licence, "creators": tuple(creators), "title": title, "doi": doi}
    return lake, msgspec.structs.replace(section, **{key: value for key, value in given.items() if value})


def _with_microdata(section: "ReleaseSection", k: int | None, *, wanted: bool) -> "ReleaseSection":
    """The section with microdata, if an option wants them."""
    import msgspec

    return msgspec.structs.replace(section, microdata=section.microdata or wanted, k=k or section.k)


def _without_key(proof: str) -> str:
    """What a proof says, without the fingerprint of the laboratory's key: a release names no key."""
    import re

    return re.sub(r"the key \S+ \([^)]*\)", "the laboratory's key", proof)
