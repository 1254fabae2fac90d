"""`census calibrate`, `identity` and `testbed run`: what a laboratory sets up before it sweeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import GuardError, InputError

if TYPE_CHECKING:
    from pipeline.sweep.calibrate import Calibration

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A closed, simulated Internet of real servers, to try everything in.",
)


def calibrate(
    config: Annotated[
        Path, typer.Argument(help="Configuration (TOML) of targets that may be asked so.", show_default=False)
    ],
    lowest: Annotated[int, typer.Option(min=1, help="Probes a second of the first step; each doubles them.")] = 1000,
    steps: Annotated[int, typer.Option(help="How many steps at most, 2 to 9.")] = 7,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Keep the result here, as JSON.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find the rate at which answers begin to be lost: on a testbed, or on ranges whose owner signed for them.

    \b
    census testbed run --spec world.toml -- census calibrate sweep.toml --lowest 2000 --steps 6 -o calibration.json

    Every target gets two SYNs, and who answers one conversation. The steps share the targets, so that each has some for every
    rate: from 1,000 probes a second on, six steps of a /16 last for two seconds each, those of a /12 for half a minute.
    """
    import msgspec

    from pipeline.console import show
    from pipeline.lake import store
    from pipeline.sweep import calibrate as calibrating
    from pipeline.sweep import freeze
    from pipeline.worker.sender import vantage

    frozen = calibrating.calibration_plan(config, lowest=lowest, steps=steps)
    freeze.check(frozen)
    _, _, source = vantage(frozen)
    done = []
    for step in calibrating.run(frozen, lowest=lowest, steps=steps):
        done.append(step)
        show.say(
            f"{step.rate:,} a second: {step.sent:,.0f} sent, {step.loss:.2%} lost of {step.answered:,} that answer"
        )
    found = calibrating.judge(frozen, source, done)
    if output:
        store.write(output, msgspec.json.format(msgspec.json.encode(found)))
    _print_calibration(found, as_json=json)


def _print_calibration(found: "Calibration", *, as_json: bool) -> None:
    """The steps of a calibration, and its knee."""
    import msgspec
    from rich.table import Table

    from pipeline.console import show

    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    table = Table(title=f"Calibration from {found.vantage}")
    for name in ("Probes a second", "Sent a second", "Answered", "Lost", "95 % interval", "Dropped here", "Stalls"):
        table.add_column(name, justify="right")
    for step in found.steps:
        interval = f"{step.loss_low:.2%} – {step.loss_high:.2%}"
        cells = f"{step.rate:,}", f"{step.sent:,.0f}", f"{step.answered:,}", f"{step.loss:.2%}", interval
        table.add_row(*cells, f"{step.dropped:,}", f"{step.stalls:,}")
    show.results().print(table)
    show.results().print(
        f"ended by {found.reason}; knee: {f'{found.knee:,} probes a second' if found.knee else 'below the first step'}"
    )


def identity(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML) with [identity].", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder that the web server shows at url.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Look whether the measured can find all of it.")] = False,
    source: Annotated[str, typer.Option(help="Address that probes come from; looked up if not given.")] = "",
) -> None:
    """Tell the measured who measures: write the opt-out page and /.well-known/probing.txt (RFC 9511), or check them.

    \b
    census identity sweep.toml -o public/
    census identity sweep.toml --check --source 192.0.2.7

    The check asks for the reverse DNS of the source and reads both files where [identity] url says they are. Every sweep does
    the same before its first packet: what is missing is a warning, or with `strict = true` the end.
    """
    from pipeline import config as settings
    from pipeline.attribution import check as checking
    from pipeline.attribution import files, probing_txt
    from pipeline.console import show
    from pipeline.guard import namespaces, sockets

    loaded = settings.load(config)
    if not output and not check:
        raise InputError("command line", "give -o FOLDER to write the files, --check to look them up, or both")
    files.require_identity(loaded.identity)
    if output:
        for path in files.write(loaded, output):
            show.say(str(path))
    if check:
        given = (checking.address(source),) if source else loaded.probe.sources
        sources = given or (sockets.at_vantage(namespaces.next_hop).source,)
        found = list(checking.findings(loaded.identity, *sources))
        show.warn(found)
        if found:
            raise GuardError(f"scanned networks cannot find who is scanning; mend the {len(found)} findings above")
        show.say(f"{', '.join(sources)}: reverse DNS, page and {probing_txt.PATH} are in place")


@app.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def testbed_run(
    command: Annotated[list[str], typer.Argument(help="The command to run inside, after --.", show_default=False)],
    spec: Annotated[Path | None, typer.Option(help="Which hosts there are; the demo's if not given.")] = None,
    capture: Annotated[Path | None, typer.Option(help="Write all packets at the far end to this pcap file.")] = None,
    outside: Annotated[
        bool, typer.Option("--outside", help="Make only the probes' sockets inside; the command itself stays outside.")
    ] = False,
    number: Annotated[
        int, typer.Option(min=0, max=255, help="Which of several testbeds; their vantages' addresses differ.")
    ] = 0,
) -> None:
    """Run a command inside a closed simulated Internet, e.g. census testbed run -- census sweep CONFIG.

    \b
    census testbed run -- census sweep data/testbed/demo-sweep.toml --lake lake
    census testbed run --outside --number 1 -- prefect worker start --pool vantages
    """
    from pipeline import checkout
    from pipeline.testbed import run

    raise typer.Exit(run.run(spec or checkout.TESTBED / "demo.toml", command, run.RunOptions(capture, outside, number)))
