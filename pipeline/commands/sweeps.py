"""`census plan`, `work`, `sweep`, `status` and `verify`: run a sweep, watch it and prove it."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Lake, Metrics, SweepId


def plan(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML).", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where the frozen plan goes.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")] = False,
) -> None:
    """Freeze a plan and print what it will do: addresses in, excluded and by which list, packets, duration."""
    from pipeline.console import show
    from pipeline.lake import store
    from pipeline.space.plan import encode
    from pipeline.sweep import freeze

    frozen = freeze.freeze(config)
    show.show_plan(frozen, as_json=json)
    if output:
        store.write(output, encode(frozen))


def work(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="Plan of `census plan`.", show_default=False)],
    lake: Annotated[str, typer.Option(help="The lake: a folder, or s3://BUCKET/PREFIX.")] = "lake",
    pcap: Annotated[Path | None, typer.Option(help="Keep every validated answer in this capture file.")] = None,
    associator: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=URL", help="Listen here for the associator NAME, e.g. north=tcp://192.0.2.1:7100."),
    ] = None,
    keys: Annotated[Path, typer.Option(help="Folder of the keys that `census keys` made.")] = Path("keys"),
    metrics: Metrics = None,
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines on standard output.")] = False,
) -> None:
    """Run the ranges of a plan that have no receipt, without Prefect: lease, range, receipt, until nothing is left."""
    from pipeline.console import progress, show
    from pipeline.lake import layout, store
    from pipeline.sweep import freeze, run
    from pipeline.worker import remote_associator

    frozen = layout.read_plan(plan_file)
    freeze.check(frozen)
    show.warn(freeze.findable(frozen))
    sweep = run.begin(frozen, store.at(lake))
    with progress.watching(sweep, as_json=json), progress.measured(sweep, metrics):
        ranges = run.work(sweep, pcap=pcap, remotes=remote_associator.remotes(associator or [], keys))
    show.say(f"{ranges} ranges run into {lake}; `census verify {lake}` proves that all adds up")


def sweep(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|PLAN", help="Configuration or plan.", show_default=False)],
    lake: Annotated[
        str | None, typer.Option(help="The lake: a folder, or s3://BUCKET/PREFIX; [lake] url if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the latest sweep of this series.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines on standard output.")] = False,
) -> None:
    """Run a whole sweep with Prefect: plan, shards, verify, seal, enrich. Ctrl-C saves its state; --resume goes on."""
    from pipeline.commands import orchestrate
    from pipeline.console import progress, show
    from pipeline.lake import store
    from pipeline.sweep import freeze, run

    frozen, folder = run.prepare(str(source), store.at(lake) if lake else None, run.unfinished if resume else None)
    freeze.check(frozen)
    show.warn(freeze.findable(frozen))
    begun = run.begin(frozen, folder)
    with progress.watching(begun, as_json=json):
        orchestrate.run("sweep", source=str(begun.paths.plan), lake=str(folder))
    if not json:
        show.show_result(folder, begun.paths.id)


def status(
    lake: Lake,
    sweep_id: SweepId = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON; with --watch, one line each time.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again until the sweep is sealed.")] = False,
    metrics: Metrics = None,
) -> None:
    """Show how a sweep is, from the lake alone: running, stopped, dead or sealed, how far, how fast, who holds which lease.

    \b
    census status lake
    census status lake --watch
    census status lake --metrics 9100
    """
    from pipeline.console import progress
    from pipeline.lake import store

    progress.show_status(store.at(lake), sweep_id, as_json=json, watch=watch, metrics=metrics)


def verify(lake: Lake, sweep_id: SweepId = None) -> None:
    """Prove that receipts, tables and plan add up to the row; exit 0 only if they do."""
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.sweep import run

    sweep = layout.open_sweep(store.at(lake), sweep_id)
    run.require_verified(sweep)
    show.say(f"{sweep.paths.id}: receipts, tables and plan add up")
