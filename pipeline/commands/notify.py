"""`census notify`: findings for CERTs and owners of networks, encrypted, outside of every publication."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import OUTPUT, Lake, SweepId, Who
from pipeline.errors import InputError

CHOICE = "What is handed over"


def notify(
    lake: Lake,
    book: Annotated[
        Path | None,
        typer.Option("--to", metavar="BOOK", help="The address book (TOML; docs/notify.md).", show_default=False),
    ] = None,
    sweep_id: SweepId = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this recipient of the book; repeatable.", rich_help_panel=CHOICE, show_default=False
        ),
    ] = None,
    decoys: Annotated[
        bool, typer.Option("--decoys", help="Hand over likely honeypots as well.", rich_help_panel=CHOICE)
    ] = False,
    wait: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS", help="Leave out a random half of the addresses for so long.", rich_help_panel=CHOICE,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder for the files, readable by you alone.", rich_help_panel=OUTPUT),
    ] = Path("hand-overs"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the numbers; write and record nothing.", rich_help_panel=OUTPUT)
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Print who got what so far.", rich_help_panel=OUTPUT)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.", rich_help_panel=OUTPUT)] = False,
    who: Who = "",
) -> None:  # fmt: skip
    """Hand findings over to CERTs, encrypted to each.

    \b
    census notify lake --to certs.toml --dry-run
    census notify lake --to certs.toml -o hand-overs/
    census notify lake --to certs.toml --recipient cert-gb --wait 60
    census notify lake --list

    Each recipient of the address book gets the services of its country, or of ranges whose owner signed for it, and nobody
    else's, in the formats that it takes: Shadowserver's CSV, IntelMQ, n6, STIX 2.1, OpenKAT. Files are encrypted in memory to
    the recipient's key. Nothing is sent: you hand them over. The lake's register hand-overs.jsonl keeps who got what.

    Ranges that have opted out by now are never in it. Likely honeypots are counted and left out.

    Exit code 3: an owner's signature does not hold.
    """
    from getpass import getuser

    from pipeline.commands import hand_overs
    from pipeline.console import show
    from pipeline.lake import store
    from pipeline.notify import hand_over
    from pipeline.notify import hand_over_register as register

    place = store.at(lake)
    if listed:
        hand_overs.recorded(register.recorded(place), as_json=json)
        return
    if book is None:
        raise InputError("--to", "is missing; name the address book of recipients (docs/notify.md)")
    by = who or getuser()
    request = hand_over.HandOverRequest(book, by, tuple(recipient or ()), decoys, wait)
    made = hand_over.prepare(place, sweep_id, request, encrypted=not dry_run)
    files = [] if dry_run else hand_over.complete(place, made, output, by)
    hand_overs.prepared(made, as_json=json)
    for path in files:
        show.message(str(path))
