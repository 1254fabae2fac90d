"""`census doctor`: what a lab should know before a sweep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import OUTPUT
from pipeline.errors import GuardError

if TYPE_CHECKING:
    from pipeline.doctor.finding import Finding


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="Configuration (TOML) of the sweep; without it, this machine alone.",
            show_default=False,
        ),
    ] = None,
    lake: Annotated[str | None, typer.Option(help="The lake; [lake] url if not given.")] = None,
    rate: Annotated[
        bool, typer.Option("--rate", help="Also measure the rate that this machine holds, in a testbed of its own.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines, one a finding.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Check machine, network, lake and data before a sweep.

    \b
    census doctor
    census doctor sweep.toml --rate
    census doctor sweep.toml --json

    Every line is ok, a warning or a stop, with what to do. Nothing is changed and no probe is sent. The kernel may look up the
    hardware address of the next hop, and the identity check reads your own page. `census sweep` makes the quick ones of these
    checks itself.

    Exit code 3: a sweep would be refused, would fail, or would measure something else.
    """
    from pipeline.config.load import load_config
    from pipeline.doctor import examine
    from pipeline.doctor.finding import Level, Subject
    from pipeline.lake import store
    from pipeline.sweep import freeze

    where = lake or (load_config(config).lake.url if config else "")
    folder = store.at(where) if where else None
    plan = freeze.freeze(config, folder) if config else None
    stops = 0
    for finding in examine.examine(Subject.here(plan, folder), measure_rate=rate):
        _print(finding, as_json=json)
        stops += finding.level is Level.STOP
    if stops:
        raise GuardError(f"a sweep would not work like this: {stops} stop{'s' * (stops > 1)} above")


def _print(finding: "Finding", *, as_json: bool) -> None:
    """Print a finding as it comes, with what to do on a line of its own."""
    from dataclasses import asdict

    from rich.text import Text

    from pipeline.console import output, screen
    from pipeline.untrusted.visible import visible

    if as_json:
        output.json_line(asdict(finding), flush=True)
        return
    style = {"ok": "green", "warning": "yellow", "stop": "bold red"}[finding.level]
    line = Text.assemble((f"{finding.level:<9}", style), f"{finding.check:<18}{visible(finding.text)}")
    if finding.remedy:
        line.append(f"\n{'':27}{visible(finding.remedy)}")
    screen.results().print(line, soft_wrap=True)
