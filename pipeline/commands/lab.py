"""`census calibrate`, `identity` and `testbed run`: what a laboratory sets up before it sweeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.help import Command, Group
from pipeline.commands.options import OUTPUT
from pipeline.commands.verbosity import with_verbosity
from pipeline.errors import GuardError, InputError
from pipeline.words.plural import plural

if TYPE_CHECKING:
    from pipeline.sweep.calibrate import Calibration

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Try everything in a closed, simulated Internet.\n\nIts hosts are real DICOM servers and simulated peers in "
    "network namespaces that no packet can leave (docs/testbed.md).",
)


def calibrate(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="Configuration (TOML) of targets whose owner consented to calibration, or of a testbed.",
            show_default=False,
        ),
    ],
    lowest: Annotated[int, typer.Option(min=1, help="Probes a second of the first step; each step doubles it.")] = 1000,
    steps: Annotated[int, typer.Option(help="Number of steps at most, 2 to 9.")] = 7,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the result here, as JSON.", rich_help_panel=OUTPUT)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Find the rate at which answers begin to be lost.

    \b
    census testbed run --spec world.toml -- census calibrate sweep.toml --lowest 2000 --steps 6
    census calibrate sweep.toml -o calibration.json

    Probes a testbed, or ranges that their owner signed. Every target gets two SYNs, and one association if it answers. The
    steps divide the targets: from 1,000 probes a second on, six steps of a /16 last for two seconds each, those of a /12 for
    half a minute.

    Exit code 3: a target is neither in a testbed nor signed for; nothing was sent.
    """
    import msgspec

    from pipeline.console import output as standard_output
    from pipeline.console import show
    from pipeline.lake import store
    from pipeline.sweep import calibrate as calibrating
    from pipeline.sweep import freeze
    from pipeline.worker import egress

    frozen = calibrating.calibration_plan(config, lowest=lowest, steps=steps)
    freeze.check(frozen)
    source = egress.probe_source(frozen).public
    done = []
    for step in calibrating.run(frozen, lowest=lowest, steps=steps):
        done.append(step)
        show.message(
            f"{step.rate:,} a second: {step.sent:,.0f} sent, {step.loss:.2%} lost of {plural(step.answered, 'host')}"
        )
    calibration = calibrating.judge(frozen, source, done)
    if output:
        store.write(output, msgspec.json.format(msgspec.json.encode(calibration)))
    if json:
        standard_output.json_line(calibration)
    else:
        _print_calibration(calibration)


def _print_calibration(calibration: "Calibration") -> None:
    """Print the steps of a calibration, and its knee."""
    from rich.table import Table

    from pipeline.console import screen

    names = ("Probes a second", "Sent a second", "Hosts", "Lost", "95 % interval", "Dropped here", "Stalls")
    table = Table(title=f"Calibration from {calibration.vantage}")
    for name in names:
        table.add_column(name, justify="right")
    for step in calibration.steps:
        interval = f"{step.loss_low:.2%} – {step.loss_high:.2%}"
        cells = f"{step.rate:,}", f"{step.sent:,.0f}", f"{step.answered:,}", f"{step.loss:.2%}", interval
        table.add_row(*cells, f"{step.dropped:,}", f"{step.stalls:,}")
    knee = f"{plural(calibration.knee, 'probe')} a second" if calibration.knee else "below the first step"
    screen.results().print(table)
    screen.results().print(f"ended by {calibration.reason}; knee: {knee}")


def identity(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML) with [identity].", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder that the web server of [identity] url serves.", rich_help_panel=OUTPUT
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check that scanned networks can find both.")] = False,
    source: Annotated[
        str, typer.Option(help="With --check: the address that probes come from; looked up if not given.")
    ] = "",
) -> None:
    """Publish who is scanning, and check that it can be found.

    \b
    census identity sweep.toml -o public/
    census identity sweep.toml --check --source 192.0.2.7

    -o writes the opt-out page and /.well-known/probing.txt (RFC 9511). --check looks up the reverse DNS of the source and
    reads both files from [identity] url. Every sweep checks the same before its first packet: what is missing is a warning,
    or with `strict = true` an error.

    Exit code 3: --check did not find all of it.
    """
    from pipeline.attribution import check as checking
    from pipeline.attribution import files, probing_txt
    from pipeline.config.load import load_config
    from pipeline.console import show
    from pipeline.worker import remarks

    loaded = load_config(config)
    if not output and not check:
        raise InputError("command line", "give -o FOLDER to write the files, --check to look them up, or both")
    files.require_identity(loaded.identity)
    if output:
        for path in files.write(loaded, output):
            show.message(str(path))
        show.warn(files.nameless(loaded.probe))
    if check:
        sources = (checking.address(source),) if source else remarks.public_sources(loaded.probe)
        show.message(checking.announcement(loaded.identity, *sources))
        findings = list(checking.findings(loaded.identity, *sources))
        show.warn(findings)
        if findings:
            raise GuardError(
                f"scanned networks cannot find who is scanning; mend the {plural(len(findings), 'finding')} above"
            )
        show.message(f"{', '.join(sources)}: reverse DNS, page and {probing_txt.PATH} are in place")


@app.command("run", cls=Command, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@with_verbosity
def testbed_run(
    command: Annotated[list[str], typer.Argument(help="The command to run inside, after --.", show_default=False)],
    spec: Annotated[Path | None, typer.Option(help="Which hosts there are (TOML); the demo's if not given.")] = None,
    number: Annotated[
        int, typer.Option(min=0, max=255, help="Which of several testbeds; their vantages' addresses differ.")
    ] = 0,
    outside: Annotated[
        bool, typer.Option("--outside", help="Make only the probes' sockets inside; the command itself stays outside.")
    ] = False,
    capture: Annotated[
        Path | None,
        typer.Option(help="Write all packets at the far end to this pcap file.", rich_help_panel=OUTPUT),
    ] = None,
) -> None:
    """Run a command inside a closed, simulated Internet.

    \b
    census testbed run -- census sweep data/testbed/demo-sweep.toml --lake lake
    census testbed run --outside --number 1 -- prefect worker start --pool vantages

    Starts the hosts, proves that no packet can leave, runs the command and ends with its exit code.
    """
    from pipeline import checkout
    from pipeline.testbed import run

    raise typer.Exit(run.run(spec or checkout.TESTBED / "demo.toml", command, run.RunOptions(capture, outside, number)))
