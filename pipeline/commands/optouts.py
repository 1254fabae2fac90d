"""`census optout`, `quarantine`, `stop`, `go` and `rate`: who is not probed, and whether anybody is."""

from enum import Enum
from typing import Annotated

import typer

from pipeline.commands.options import OUTPUT, Register, Who
from pipeline.errors import InputError

EVIDENCE = "Evidence"


class OptOutAction(Enum):
    """What to do with opt-outs."""

    ADD = "add"
    LIST = "list"
    EXPIRE = "expire"


def optout(
    target: Register,
    action: Annotated[
        OptOutAction,
        typer.Argument(metavar="add|list|expire", help="Opt blocks out, list them, or end it.", show_default=False),
    ],
    blocks: Annotated[list[str] | None, typer.Argument(metavar="[CIDR]...", help="Blocks or addresses.")] = None,
    until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Last day of the opt-out (UTC); for good if not given.")
    ] = "",
    who: Annotated[
        str,
        typer.Option(help="Who requested it, with a contact; required to add and expire.", rich_help_panel=EVIDENCE),
    ] = "",
    proof: Annotated[
        str,
        typer.Option(help="How their authority over the block is known, e.g. a ticket.", rich_help_panel=EVIDENCE),
    ] = "",
    note: Annotated[str, typer.Option(help="Anything else.", rich_help_panel=EVIDENCE)] = "",
    all: Annotated[
        bool, typer.Option("--all", help="List every event, not only what is in force today.", rich_help_panel=OUTPUT)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="List as JSON lines.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Manage the opt-out register: networks never probed.

    \b
    census optout lake add 192.0.2.0/24 --who "NOC of Example, noc@example.org" --proof "ticket 7"
    census optout lake add 192.0.2.7 --who "A. Doe" --until 2027-01-31
    census optout lake list
    census optout lake expire 192.0.2.0/24 --who "NOC of Example" --note "wishes to be included again"

    Running sweeps obey a new line within 5 seconds. Lines are only ever added, and each carries the SHA-256 of the one before
    it: the history is evidence.
    """
    from pipeline.console import show
    from pipeline.optout import edit, obeyed
    from pipeline.sweep import acknowledged

    named = obeyed.find(target)
    opened = named.register
    evidence = edit.Evidence(who, proof, note)
    match action:
        case OptOutAction.ADD:
            show.additions(named, edit.add(opened, blocks or [], evidence, until=until))
            show.message(acknowledged.report(named))
        case OptOutAction.EXPIRE:
            show.message(f"no longer opted out: {', '.join(edit.expire(opened, blocks or [], evidence))}")
            show.message(acknowledged.report(named))
        case OptOutAction.LIST:
            show.opt_outs(opened, everything=all, as_json=json)


class QuarantineAction(Enum):
    """What to do with quarantines; sweeps make them."""

    LIST = "list"
    EXPIRE = "expire"


def quarantine(
    target: Register,
    action: Annotated[
        QuarantineAction,
        typer.Argument(metavar="list|expire", help="List quarantined hosts, or end it.", show_default=False),
    ],
    blocks: Annotated[list[str] | None, typer.Argument(metavar="[CIDR]...", help="Addresses.")] = None,
    who: Annotated[str, typer.Option(help="Who ends it; required to expire.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    json: Annotated[bool, typer.Option("--json", help="List as JSON lines.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """List or end quarantines of hosts that fell silent.

    \b
    census quarantine lake list
    census quarantine lake expire 192.0.2.7 --who "A. Doe" --note "its owner had switched it off"

    A host that no longer answers after a visit is quarantined: no sweep probes it for a year.
    """
    from pipeline.console import show
    from pipeline.optout import edit, obeyed
    from pipeline.optout import quarantine as quarantining
    from pipeline.sweep import acknowledged

    named = obeyed.find(target)
    opened = named.register
    if action is QuarantineAction.LIST:
        show.quarantines(opened, as_json=json)
    else:
        ended = quarantining.expire(opened, blocks or [], edit.Evidence(who, "", note))
        show.message(f"no longer quarantined: {', '.join(ended)}")
        show.message(acknowledged.report(named))


def stop(
    target: Register,
    reason: Annotated[str, typer.Option(help="Why; every worker shows it.", show_default=False)],
    who: Who = "",
) -> None:
    """Pause every sweep that obeys a register.

    \b
    census stop lake --reason "a hospital calls"

    Sending stops within 5 seconds, on every machine, until `census go`. If the sweeps of the lake obey several registers, each
    is stopped. With a lake it says how many workers have acknowledged.
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, obeyed
    from pipeline.sweep import acknowledged

    stopped, failed = [], []
    for named in obeyed.find_all(target):
        try:
            edit.stop(named.register, who or getuser(), reason)
        except InputError as error:  # the others are stopped all the same
            failed.append(error)
        else:
            stopped.append(named)
            show.message(f"stopped, in {named.register.where}; `census go {named.register.where}` resumes")
    for named in stopped:
        show.message(acknowledged.report(named))
    if failed:
        raise failed[0]


def go(target: Register, who: Who = "") -> None:
    """Resume sweeps paused by `census stop`.

    \b
    census go lake

    Exit code 2: nothing is paused.
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, obeyed
    from pipeline.sweep import acknowledged

    named = obeyed.find(target)
    edit.go(named.register, who or getuser())
    show.message("sweeps resume within 5 seconds")
    show.message(acknowledged.report(named))


def rate(
    target: Register,
    probes: Annotated[
        int | None,
        typer.Argument(min=1, metavar="[PROBES]", help="Probes a second; without it the limit is lifted."),
    ] = None,
    who: Who = "",
) -> None:
    """Limit the rate of all sweeps that obey a register.

    \b
    census rate lake 500
    census rate lake

    Within 5 seconds no worker sends more than this, nor more than its plan says. Without a number plans' own rates apply again.
    """
    from getpass import getuser

    from pipeline.console import show
    from pipeline.optout import edit, obeyed
    from pipeline.sweep import acknowledged

    named = obeyed.find(target)
    edit.limit(named.register, who or getuser(), probes)
    show.limit(named, probes)
    show.message(acknowledged.report(named))
