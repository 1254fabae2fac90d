"""`census site`: the sweeps of a lake as a static site."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import OUTPUT, CitedLake, MinCell, licence_option

PUBLISHER = "Publisher"


def site(
    lake: CitedLake,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder that a web server serves.", rich_help_panel=OUTPUT)
    ],
    url: Annotated[
        str, typer.Option(help="The site's address, for cards, embeds and the feed.", rich_help_panel=PUBLISHER)
    ] = "",
    name: Annotated[
        str,
        typer.Option(help="Who publishes; authorised_by of [identity] if not given.", rich_help_panel=PUBLISHER),
    ] = "",
    contact: Annotated[
        str, typer.Option(help="E-mail address or page; that of [identity] if not given.", rich_help_panel=PUBLISHER)
    ] = "",
    opt_out: Annotated[
        str,
        typer.Option(
            metavar="URL", help="The opt-out page; the url of [identity] if not given.", rich_help_panel=PUBLISHER
        ),
    ] = "",
    licence: Annotated[str, licence_option(PUBLISHER)] = "",
    series: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Put this series in front; that of the latest sweep if not given."),
    ] = None,
    min_cell: MinCell = 5,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Publish even if a sweep's proof is broken, and say so.")
    ] = False,
) -> None:
    """Write the sweeps of a lake as a static site.

    \b
    census site lake -o public/ --url https://census.example.org/ --name "Example Lab"
    census site sweep.toml -o public/ --licence CC0-1.0 --series weekly

    Any web server can serve the folder; nothing on a page is loaded from elsewhere, and no page needs JavaScript. Run it
    again after each sweep: pages of earlier sweeps stay as they are. Aggregates only, no addresses (docs/site.md). The
    licence is the laboratory's choice: by --licence, or by [release] of the configuration.

    Exit code 1: the proof of a sweep is broken (`census verify`).
    """
    from pipeline.config.load import lake_and_release
    from pipeline.config.sections import IdentitySection
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.publish import imprint
    from pipeline.publish import publisher as publishing
    from pipeline.publish.scope import Scope
    from pipeline.site import write_site
    from pipeline.sweep import run

    lake, section = lake_and_release(lake)
    place = store.at(lake)
    sweeps = layout.sweeps(place)
    identity = imprint.identity(sweeps[-1]) if sweeps else IdentitySection()
    wishes = publishing.Wishes(name, url, contact, opt_out, licence)
    who = publishing.publisher(wishes.completed(section), identity)
    order = write_site.Order(place, output, who, Scope(min_cell=min_cell), series)
    for line in write_site.write(order, lambda sweeps: run.proofs(place, sweeps, unverified=unverified)):
        show.message(line)
    if not who.url:
        show.warn(["cards, embeds and the feed have no whole addresses: give the site's address by --url"])
