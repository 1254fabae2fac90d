"""`census plan`, `work`, `sweep`, `status` and `verify`: run a sweep, watch it and prove it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import OUTPUT, WATCHING, Config, Lake, Metrics, Progress, SweepId
from pipeline.commands.overrides import MaxRuntime, Ports, Rate, Sample, overrides
from pipeline.errors import InputError
from pipeline.words.plural import plural

if TYPE_CHECKING:
    from pipeline.plan.plan import Plan


def plan(
    config: Config,
    rate: Rate = None,
    ports: Ports = None,
    sample: Sample = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the frozen plan to this file.", rich_help_panel=OUTPUT),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Freeze a plan and print what it will do. Sends nothing.

    \b
    census plan sweep.toml
    census plan sweep.toml -o plan.json
    census plan sweep.toml --rate 500 --ports 104,11112 --sample 1%

    Prints how many addresses are included, how many each list excludes, the packets, the rate and the duration. The file
    that -o writes is for `census work` and `census sweep`; it fixes targets, order, rate and program. With [visibility] it
    also writes the plan of each vantage next to it (plan.one.json for the vantage `one`).

    Exit code 2: the configuration is wrong; the message names file and key.
    """
    from pipeline.lake import store
    from pipeline.plan.plan import encode
    from pipeline.sweep import freeze

    frozen = freeze.freeze(config, overrides=overrides(rate, ports, sample))
    _print_plan(frozen, as_json=json)
    if output:
        store.write(output, encode(frozen))
        for own in freeze.vantage_plans(frozen):
            store.write(output.with_suffix(f".{own.vantage}{output.suffix}"), encode(own))


def _print_plan(frozen: "Plan", *, as_json: bool) -> None:
    """Print a plan, and what people should know of it and of this machine before the first packet."""
    from pipeline.console import plan_warnings, show
    from pipeline.worker import engine_choice, remarks

    show.plan(frozen, as_json=as_json)
    here, _ = engine_choice.preview(frozen)
    show.warn(plan_warnings.warnings(here))
    show.warn(remarks.preview(here))


def work(
    plan_file: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan that `census plan` wrote.", show_default=False)
    ],
    lake: Annotated[str, typer.Option(help="The lake: a folder, or s3://BUCKET/PREFIX.")] = "lake",
    pcap: Annotated[
        Path | None, typer.Option(help="Write every validated answer to this capture file.", rich_help_panel=OUTPUT)
    ] = None,
    associator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL", help="Listen here for the associator NAME, e.g. north=tcp://192.0.2.1:7100; repeatable.",
            rich_help_panel="Associators on other machines", show_default=False,
        ),
    ] = None,
    keys: Annotated[
        Path,
        typer.Option(
            help="Folder of the keys that `census keys` made.", rich_help_panel="Associators on other machines"
        ),
    ] = Path("keys"),
    max_runtime: MaxRuntime = None,
    metrics: Metrics = None,
    json: Progress = False,
) -> None:  # fmt: skip
    """Run a plan's unfinished ranges, without Prefect.

    \b
    census work plan.json --lake lake
    census work plan.json --lake s3://bucket/lake --metrics 9100

    Leases shards, runs each range that has no receipt, and ends when every range has one. Start it on several machines
    with the same lake to share the work; run it again to finish what was interrupted. `census verify` then proves the
    result.

    Exit code 3: the plan does not fit this program, or must not be run here; nothing was sent.
    """
    from pipeline.console import progress, show
    from pipeline.lake import layout, store
    from pipeline.sweep import freeze, run
    from pipeline.worker import engine_choice, remote_associator

    frozen = layout.read_plan(plan_file)
    freeze.check(frozen)
    show.warn(freeze.warnings(engine_choice.choose(frozen).plan, show.message))
    sweep = run.begin(frozen, store.at(lake))
    show.warn(run.stopped(frozen, sweep.paths.lake))
    with progress.watching(sweep, as_json=json), progress.served(sweep, metrics):
        remotes = remote_associator.remotes(associator or [], keys)
        ranges = run.work(sweep, pcap=pcap, remotes=remotes, max_runtime=max_runtime)
    show.warn(run.stopped(frozen, sweep.paths.lake))
    show.message(
        f"{plural(ranges, 'range was', 'ranges were')} run into {lake}; next, `census verify {lake}` proves that all adds up, and "
        f"`census sweep {plan_file} --lake {lake}` seals and enriches it"
    )


def sweep(
    source: Annotated[
        Path,
        typer.Argument(metavar="CONFIG|PLAN", help="A configuration (TOML), or a plan (JSON).", show_default=False),
    ],
    lake: Annotated[
        str | None, typer.Option(help="The lake: a folder, or s3://BUCKET/PREFIX; [lake] url if not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish the latest sweep of this configuration, if it is unfinished.")
    ] = False,
    unattended: Annotated[
        bool,
        typer.Option("--unattended", help="For timers: finish the latest sweep of this configuration, else begin one."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what the sweep would do, as `census plan` does; send nothing.")
    ] = False,
    rate: Rate = None,
    ports: Ports = None,
    sample: Sample = None,
    max_runtime: MaxRuntime = None,
    json: Progress = False,
) -> None:
    """Run a whole sweep: plan, probe, verify, seal, enrich.

    \b
    census testbed run -- census sweep data/testbed/demo-sweep.toml
    census sweep sweep.toml --rate 500 --max-runtime 2h
    census sweep sweep.toml --resume

    Writes the plan, receipts and tables into the lake, and prints the countries and the funnel. Where Prefect
    is installed, each step is a run of it, embedded or on the server of PREFECT_API_URL. Ctrl-C saves the state; --resume
    finishes the sweep. With --resume no sweep is begun: if there is nothing to finish, nothing is sent. With --unattended one
    is, also if the configuration or the program has changed since the unfinished sweep began (docs/install.md).

    Exit code 3: a guard rail refused, e.g. [identity] is incomplete; nothing was sent. 130: interrupted, state saved.
    """
    from pipeline.commands import orchestrate
    from pipeline.console import plan_warnings, progress, show
    from pipeline.doctor import examine
    from pipeline.doctor.finding import Subject
    from pipeline.lake import store
    from pipeline.sweep import freeze, run
    from pipeline.sweep.unattended import prepare_unattended
    from pipeline.worker import engine_choice

    orchestrate.check()
    if resume and unattended:
        raise InputError("--unattended", "finishes a sweep or begins one, --resume begins none; give one of them")
    changed, target = overrides(rate, ports, sample), store.at(lake) if lake else None
    if resume and (reason := run.nothing_to_resume(str(source), target)):
        show.message(reason)
        return
    prepare = prepare_unattended if unattended else partial(run.prepare, resume=run.unfinished if resume else None)
    frozen, folder = prepare(str(source), target, overrides=changed)
    if dry_run:
        _print_plan(frozen, as_json=json)
        return
    freeze.check(frozen)
    here = engine_choice.choose(frozen).plan
    show.warn(plan_warnings.warnings(here))
    show.warn(examine.before_a_sweep(Subject.here(frozen, folder)))
    show.warn(freeze.warnings(here, show.message))
    show.warn(run.others(frozen, folder))
    begun = run.begin(frozen, folder)
    show.warn(run.stopped(frozen, folder))
    with progress.watching(begun, as_json=json):
        orchestrate.run(begun, max_runtime)
    show.warn(run.stopped(frozen, folder))
    show.warn(run.late(begun))
    if not json:
        show.sweep_result(folder, begun.paths.id)
    show.message(
        f"{begun.paths.id}: verified, sealed and enriched; next, `census report {folder}` writes the report, "
        f"`census sql {folder}` queries it, `census results {folder}` prints what answered"
    )


def status(
    lake: Lake,
    sweep_id: SweepId = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh until the sweep is sealed.", rich_help_panel=WATCHING)
    ] = False,
    metrics: Metrics = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON; with --watch a line each time.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
) -> None:
    """Show a sweep's state, progress, rate and lease holders.

    \b
    census status lake
    census status lake --sweep 20261120T080000Z-weekly
    census status lake --watch
    census status lake --metrics 9100

    Reads only the lake, so it works on any machine that can read it. --metrics serves until it is interrupted.
    """
    from pipeline.console import status_page
    from pipeline.lake import store

    status_page.show_sweep(store.at(lake), sweep_id, as_json=json, watch=watch, metrics=metrics)


def sweeps(
    lake: Lake,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """List the sweeps of a lake, oldest first.

    \b
    census sweeps lake
    census sweeps lake --json

    A line a sweep: its id, state, beginning, targets, share that is done, DICOM services, and whether it is sealed and enriched.
    """
    from pipeline.console import status_page
    from pipeline.lake import store

    status_page.show_all(store.at(lake), as_json=json)


def verify(lake: Lake, sweep_id: SweepId = None) -> None:
    """Prove that a sweep adds up and is as it was signed.

    \b
    census verify lake
    census verify lake --sweep 20261120T080000Z-weekly

    Compares each receipt with its range of the plan, and the rows of each table with the receipts that count them. Of a
    sealed sweep, also compares plan, manifest, receipts, tables, derived tables and marts with what the lab's key signed.

    Exit code 1: something does not add up; the message names the first of it.
    """
    from pipeline.console import show
    from pipeline.lake import attestation, layout, store
    from pipeline.sweep import run

    sweep = layout.open_sweep(store.at(lake), sweep_id)
    run.require_verified(sweep)
    show.message(f"{sweep.paths.id}: receipts, tables and plan add up")
    if sweep.paths.sealed("sweeps").exists():
        show.message(f"{sweep.paths.id}: {attestation.sentence(sweep.paths)}")
    show.warn(run.unsigned(sweep.plan))
    show.warn(run.voided(sweep))
    show.warn(run.late(sweep))
