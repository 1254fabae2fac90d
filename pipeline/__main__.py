"""The command line: one sub-command a verb. Heavy packages are imported by the command that needs them."""

import signal
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from pipeline import own_commands
from pipeline.errors import CensusError, GuardError, InputError, Interrupted

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Count the DICOM services that answer on the Internet: plan, sweep, verify, report.\n\n"
    "Try `make demo` for a whole sweep of a closed, simulated Internet. "
    "Exit codes: 0 done, 1 the program failed, 2 the input is wrong, 3 stopped by a guard rail, 130 interrupted.",
)
testbed = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A closed, simulated Internet of real servers, to try everything in.",
)
app.add_typer(testbed, name="testbed")
app.add_typer(own_commands.app, name="own")
app.command()(own_commands.audit)

Lake = Annotated[str, typer.Argument(help="The lake: a folder, or s3://BUCKET/PREFIX.", show_default=False)]
RegisterFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The register, e.g. lake/optout.jsonl, or an s3:// URL.", show_default=False),
]
Metrics = Annotated[
    str | None,
    typer.Option(metavar="[HOST:]PORT", help="Serve metrics for Prometheus; on 127.0.0.1 if no host is given."),
]
SweepId = Annotated[str | None, typer.Option("--sweep", help="Which sweep; the latest one if not given.")]


@app.command()
def plan(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML).", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where the frozen plan goes.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")] = False,
) -> None:
    """Freeze a plan and print what it will do: addresses in, excluded and by which list, packets, duration."""
    from pipeline import console, sweep
    from pipeline.lake import store
    from pipeline.space.plan import encode

    frozen = sweep.freeze(config)
    console.show_plan(frozen, as_json=json)
    if output:
        store.write(output, encode(frozen))


@app.command()
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
    from pipeline import console, elsewhere, live, sweep
    from pipeline.lake import store

    frozen = sweep.read(plan_file)
    sweep.check(frozen)
    console.warn(sweep.findable(frozen))
    place = sweep.begin(frozen, store.at(lake))
    with live.watching(frozen, place, as_json=json), live.measured(frozen, place, metrics):
        ranges = sweep.work(frozen, place, pcap=pcap, remotes=elsewhere.remotes(associator or [], keys))
    console.say(f"{ranges} ranges run into {lake}; `census verify {lake}` proves that all adds up")


@app.command()
def associate(
    lake: Lake,
    name: Annotated[str, typer.Option(help="The name that `census keys` knows this machine by.", show_default=False)],
    worker: Annotated[str, typer.Option(metavar="URL", help="Where the worker listens, e.g. tcp://192.0.2.1:7100.")],
    keys: Annotated[Path, typer.Option(help="Folder with NAME.key_secret and worker.key.")] = Path("keys"),
    sweep: SweepId = None,
) -> None:
    """Hold conversations for a worker on another machine: its part of TLS, second and capability visits.

    \b
    census work plan.json --associator north=tcp://192.0.2.1:7100 --keys keys/       on the worker's machine
    census associate LAKE --name north --worker tcp://192.0.2.1:7100 --keys keys/    here

    The connection is encrypted; the worker lets in whose key it has, and no other.
    """
    from pipeline import console, elsewhere
    from pipeline import sweep as steps
    from pipeline.lake import store

    place = store.find(store.at(lake), sweep)
    elsewhere.associate(steps.read(place.plan), place, name=name, url=worker, keys=keys)
    console.say(f"{place.id}: the worker has no more to hand on")


@app.command()
def keys(
    folder: Annotated[Path, typer.Argument(help="Folder for the keys.", show_default=False)],
    associators: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Associators that shall have keys.")
    ] = None,
) -> None:
    """Make the CURVE keys of a worker, and of associators on other machines that it lets in.

    \b
    census keys keys/ north south

    Each associator needs its own NAME.key_secret and worker.key; move them there and delete the secret here. Removing
    associators/NAME.key revokes it.
    """
    from pipeline import console
    from pipeline.transport import keys as curve

    for path in curve.create(folder, associators or []):
        console.say(str(path))


@app.command("sweep")
def sweep_command(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|PLAN", help="Configuration or plan.", show_default=False)],
    lake: Annotated[
        str | None, typer.Option(help="The lake: a folder, or s3://BUCKET/PREFIX; [lake] url if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the latest sweep of this series.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines on standard output.")] = False,
) -> None:
    """Run a whole sweep with Prefect: plan, shards, verify, seal, enrich. Ctrl-C saves its state; --resume goes on."""
    from pipeline import console, live, orchestrate, sweep
    from pipeline.lake import store

    frozen, folder = sweep.prepare(str(source), store.at(lake) if lake else None, sweep.unfinished if resume else None)
    sweep.check(frozen)
    console.warn(sweep.findable(frozen))
    place = sweep.begin(frozen, folder)
    with live.watching(frozen, place, as_json=json):
        orchestrate.run("sweep", source=str(place.plan), lake=str(folder))
    if not json:
        console.show_result(folder, place.id)


@app.command()
def status(
    lake: Lake,
    sweep: SweepId = None,
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
    from pipeline import live
    from pipeline.lake import store

    live.show_status(store.at(lake), sweep, as_json=json, watch=watch, metrics=metrics)


@app.command()
def verify(lake: Lake, sweep: SweepId = None) -> None:
    """Prove that receipts, tables and plan add up to the row; exit 0 only if they do."""
    from pipeline import console
    from pipeline import sweep as steps
    from pipeline.lake import store

    place = store.find(store.at(lake), sweep)
    steps.require_verified(steps.read(place.plan), place)
    console.say(f"{place.id}: receipts, tables and plan add up")


@app.command()
def enrich(
    lake: Lake,
    sweep: SweepId = None,
    second: Annotated[
        Path | None,
        typer.Option(help="Second country database, to count by beside the plan's; a bundled one if not given."),
    ] = None,
) -> None:
    """Place the addresses that answered in countries and networks, as the plan's databases have them, and build the marts."""
    from pipeline import sweep as steps
    from pipeline.enrich import geo
    from pipeline.lake import store

    place = store.find(store.at(lake), sweep)
    steps.enrich(steps.read(place.plan), place, second or geo.SECOND)


@app.command()
def resolve(
    lake: Lake,
    sweep: SweepId = None,
    nameserver: Annotated[
        list[str] | None,
        typer.Option(metavar="IP[:PORT]", help="Recursive name server to ask; may be given again.", show_default=False),
    ] = None,
    system: Annotated[bool, typer.Option("--system", help="Ask the name servers of /etc/resolv.conf.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Most messages a second, retries included.")] = 20.0,
    json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Ask reverse DNS for the names of the addresses that spoke DICOM, each confirmed by where it leads (table host_names).

    \b
    census resolve demo/lake --nameserver 192.0.2.53
    census enrich demo/lake            # names then tell owners (data/reference/owners.toml)

    Nothing goes to the hosts themselves, and no name server is asked that you did not name. What was learned is kept: run it
    again to go on, or to ask again where there was no answer.
    """
    from pipeline import console
    from pipeline import resolve as names
    from pipeline import sweep as steps
    from pipeline.lake import store
    from pipeline.names import server
    from pipeline.names.ask import Asker

    if bool(nameserver) == system:
        raise InputError(
            "command line", "name the servers to ask by --nameserver IP[:PORT], or give --system; one of both"
        )
    servers = server.system() if system else tuple(server.parse(text, "--nameserver") for text in nameserver or ())
    place = store.find(store.at(lake), sweep)
    with console.counting() as tell:
        told = names.resolve(steps.read(place.plan), place, Asker(servers, rate=rate), tell)
    console.show_facts(told, as_json=json)


@app.command()
def reparse(lake: Lake, sweep: SweepId = None) -> None:
    """Judge the replies that a sealed sweep kept by this version's parser; the views then prefer its judgement."""
    from pipeline import console
    from pipeline import reparse as again
    from pipeline.lake import store

    place = store.find(store.at(lake), sweep)
    changed = again.reparse(place)
    told = ", ".join(f"{name} in {rows}" for name, rows in changed.most_common()) or "nothing"
    console.say(f"{place.id}: this version's parser reads otherwise: {told}; `census enrich` judges identities again")


@app.command()
def report(
    lake: Lake,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")],
    sweep: SweepId = None,
    formats: Annotated[str, typer.Option("--format", help="Any of html,md,csv,png.")] = "html,md,csv,png",
    country: Annotated[str | None, typer.Option(help="The edition of a country, e.g. GB.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Compare with this sweep, or the first one from this date on.")
    ] = None,
    least: Annotated[int, typer.Option(help="Cells of a country with fewer services are not told apart.")] = 5,
) -> None:
    """Write the report of a sweep: aggregates only, as a self-contained page, Markdown, tables and figures."""
    from pipeline import console
    from pipeline.lake import store
    from pipeline.publish import report as publishing
    from pipeline.publish import session
    from pipeline.publish.edition import Edition

    edition = Edition(country.upper() if country else None, since, least)
    place = store.find(store.at(lake), sweep)
    with session.connect(store.at(lake)) as con:
        written = publishing.write(con, place.id, output, set(formats.split(",")), edition)
    for path in written:
        console.say(str(path))


@app.command()
def sql(
    lake: Lake,
    query: Annotated[str | None, typer.Argument(help="A query; a prompt opens without one.")] = None,
    format: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    init: Annotated[bool, typer.Option("--init", help="Print SQL for `duckdb -init`.")] = False,
) -> None:
    """Ask the lake in SQL, every table and view ready, e.g. census sql demo/lake "FROM countries"."""
    from pipeline import console
    from pipeline.lake import store
    from pipeline.publish import session

    if init:
        print(session.init_sql(store.at(lake)))
        return
    console.ask(store.at(lake), query, format)


class Action(Enum):
    """What to do with opt-outs."""

    ADD = "add"
    LIST = "list"
    EXPIRE = "expire"


@app.command()
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
    from pipeline import console, optout, register

    kept = register.at(file)
    asked = optout.Asked(who, proof, note)
    match action:
        case Action.ADD:
            console.say(f"opted out: {', '.join(optout.add(kept, blocks or [], asked, until=until))}")
        case Action.EXPIRE:
            console.say(f"no longer opted out: {', '.join(optout.expire(kept, blocks or [], asked))}")
        case Action.LIST:
            console.show_register(kept, everything=all, as_json=json)


class Ending(Enum):
    """What to do with quarantines; they are made by sweeps."""

    LIST = "list"
    EXPIRE = "expire"


@app.command()
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
    from pipeline import console, optout, register
    from pipeline import quarantine as resting

    kept = register.at(str(file))
    if action is Ending.LIST:
        console.show_quarantine(kept, as_json=json)
    else:
        ended = resting.expire(kept, blocks or [], optout.Asked(who, "", note))
        console.say(f"no longer quarantined: {', '.join(ended)}")


@app.command()
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

    from pipeline import console, optout, register

    optout.stop(register.at(file), who or getuser(), reason)
    console.say(f"stopped; `census go {file}` lets sending go on")


@app.command()
def go(
    file: RegisterFile,
    who: Annotated[str, typer.Option(help="Who says so; the login name if not given.")] = "",
) -> None:
    """Let the sweeps that `census stop` stopped go on.

    \b
    census go lake/optout.jsonl
    """
    from getpass import getuser

    from pipeline import console, optout, register

    optout.go(register.at(file), who or getuser())
    console.say("sending goes on")


@app.command()
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

    from pipeline import console, optout, register

    optout.limit(register.at(file), who or getuser(), probes)
    console.say(f"no worker sends more than {probes:,} probes a second" if probes else "plans' own rates hold again")


@app.command()
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

    from pipeline import calibrate as calibrating
    from pipeline import console
    from pipeline import sweep as steps_of
    from pipeline.lake import store
    from pipeline.stages.sender import vantage

    frozen = calibrating.freeze(config, lowest=lowest, steps=steps)
    steps_of.check(frozen)
    _, _, source = vantage(frozen)
    done = []
    for step in calibrating.run(frozen, lowest=lowest, steps=steps):
        done.append(step)
        console.say(
            f"{step.rate:,} a second: {step.sent:,.0f} sent, {step.loss:.2%} lost of {step.answered:,} that answer"
        )
    found = calibrating.judge(frozen, source, done)
    if output:
        store.write(output, msgspec.json.format(msgspec.json.encode(found)))
    console.show_calibration(found, as_json=json)


@app.command()
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
    from pipeline import attribution, console, guard, network
    from pipeline import config as settings
    from pipeline.attribution import check as checking
    from pipeline.attribution import described

    loaded = settings.load(config)
    if not output and not check:
        raise InputError(
            "command line", "give -o FOLDER to write the files, or --check to look whether they can be found"
        )
    attribution.require_told(loaded.identity)
    if output:
        for path in attribution.write(loaded, output):
            console.say(str(path))
    if check:
        given = (checking.address(source),) if source else loaded.probe.sources
        sources = given or (guard.at_vantage(network.next_hop).source,)
        found = list(checking.findings(loaded.identity, *sources))
        console.warn(found)
        if found:
            raise GuardError(f"the measured would not find who measures: {len(found)} of the above")
        console.say(f"{', '.join(sources)}: reverse DNS, page and {described.PATH} are in place")


@testbed.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
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
    from pipeline.testbed import run

    default = Path(__file__).parent.parent / "data" / "testbed" / "demo.toml"
    raise typer.Exit(run.run(spec or default, command, run.Stand(capture, outside, number)))


def main() -> None:
    """Run the command line; errors become one line and their exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)  # an Exit is returned as its code
    except (KeyboardInterrupt, typer.Abort):
        code = Interrupted.exit_code
    except CensusError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            reason = error.format_message() if hasattr(error, "format_message") else str(error)
            _fail(str(InputError("command line", reason or "no command; --help lists them")), 2)
        raise
    if code == Interrupted.exit_code:
        _fail("interrupted; the state is saved, run it again (`census sweep` with --resume) to finish the rest", code)
    sys.exit(code)


def _fail(message: str, code: int) -> None:
    print(f"census: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
