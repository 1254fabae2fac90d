"""`census optout`, `quarantine`, `stop`, `go` and `rate`: who is not probed, and whether anybody is."""

from enum import Enum
from typing import Annotated

import typer

from pipeline.commands.options import RegisterFile


class Action(Enum):
    """What to do with opt-outs."""

    ADD = "add"
    LIST = "list"
    EXPIRE = "expire"


def optout(
    file: RegisterFile,
    action: Annotated[
        Action,
        typer.Argument(metavar="add|list|expire", help="Opt blocks out, list them, or end it.", show_default=False),
    ],
    blocks: Annotated[list[str] | None, typer.Argument(metavar="[CIDR]...", help="Blocks or addresses.")] = None,
    who: Annotated[str, typer.Option(help="Who asked for it, with a contact; needed to add and to expire.")] = "",
    until: Annotated[
        str, typer.Option(metavar="DATE", help="Last day of the opt-out (UTC); for good if not given.")
    ] = "",
    proof: Annotated[str, typer.Option(help="How it is known that they may ask, e.g. a ticket.")] = "",
    note: Annotated[str, typer.Option(help="Anything else.")] = "",
    all: Annotated[bool, typer.Option("--all", help="List every event, not only what holds today.")] = False,
    json: Annotated[bool, typer.Option("--json", help="List as JSON lines.")] = False,
) -> None:
    """Keep the register of those who do not want to be asked. Sweeps that run obey a new line within 5 seconds.

    \b
    census optout lake/optout.jsonl add 192.0.2.0/24 --who "NOC of Example, noc@example.org" --proof "ticket 7"
    census optout lake/optout.jsonl add 192.0.2.7 --who "A. Doe" --until 2027-01-31
    census optout lake/optout.jsonl list
    census optout lake/optout.jsonl expire 192.0.2.0/24 --who "NOC of Example" --note "asked to be back in"

    Lines are only ever added, and each carries the SHA-256 of the one before it: the history is evidence.
    """
    from pipeline.console import show
    from pipeline.optout import edit, register

    kept = register.at(file)
    asked = edit.Asked(who, proof, note)
    match action:
        case Action.ADD:
            show.say(f"opted out: {', '.join(edit.add(kept, blocks or [], asked, until=until))}")
        case Action.EXPIRE:
            show.say(f"no longer opted out: {', '.join(edit.expire(kept, blocks or [], asked))}")
        case Action.LIST:
            show.show_register(kept, everything=all, as_json=json)


class Ending(Enum):
    """What to do with quarantines; they are made by sweeps."""

    LIST = "list"
    EXPIRE = "expire"


def quarantine(
    file: RegisterFile,
    action: Annotated[
        Ending, typer.Argument(metavar="list|expire", help="List quarantined hosts, or end it.", show_default=False)
    ],
    blocks: Annotated[list[str] | None, typer.Argument(metavar="[CIDR]...", help="Addresses.")] = None,
    who: Annotated[str, typer.Option(help="Who ends it; needed to expire.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    json: Annotated[bool, typer.Option("--json", help="List as JSON lines.")] = False,
) -> None:
    """Show or end the quarantine of hosts that fell silent after a visit: no sweep asks them for a year.

    \b
    census quarantine lake/optout.jsonl list
    census quarantine lake/optout.jsonl expire 192.0.2.7 --who "A. Doe" --note "was switched off, says its owner"
    """
    from pipeline.console import show
    from pipeline.optout import edit, register
    from pipeline.optout import quarantine as resting

    kept = register.at(str(file))
    if action is Ending.LIST:
        show.show_quarantine(kept, as_json=json)
    else:
        ended = resting.expire(kept, blocks or [], edit.Asked(who, "", note))
        show.say(f"no longer quarantined: {', '.join(ended)}")


def stop(
    file: RegisterFile,
    reason: Annotated[str, typer.Option(help="Why; every worker shows it.", show_default=False)],
    who: Annotated[str, typer.Option(help="Who stops; the login name if not given.")] = "",
) -> None:
    """Stop every sweep that obeys this register, within 5 seconds, until `census go`.

    \b
    census stop lake/optout.jsonl --reason "a hospital calls"
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, register

    edit.stop(register.at(file), who or getuser(), reason)
    show.say(f"stopped; `census go {file}` lets sending go on")


def go(
    file: RegisterFile,
    who: Annotated[str, typer.Option(help="Who says so; the login name if not given.")] = "",
) -> None:
    """Let the sweeps that `census stop` stopped go on.

    \b
    census go lake/optout.jsonl
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, register

    edit.go(register.at(file), who or getuser())
    show.say("sending goes on")


def rate(
    file: RegisterFile,
    probes: Annotated[int | None, typer.Argument(min=1, help="Probes a second.", show_default=False)] = None,
    who: Annotated[str, typer.Option(help="Who says so; the login name if not given.")] = "",
) -> None:
    """Slow every sweep that obeys this register down, within 5 seconds; without a number, back to its plan's own rate.

    \b
    census rate lake/optout.jsonl 500
    census rate lake/optout.jsonl
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, register

    edit.limit(register.at(file), who or getuser(), probes)
    show.say(f"no worker sends more than {probes:,} probes a second" if probes else "plans' own rates hold again")
