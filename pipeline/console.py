"""What people see: progress on standard error, results on standard output."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipeline import plan_page
from pipeline.errors import InputError
from pipeline.lake import store
from pipeline.lake.store import Place, Sweep
from pipeline.outcome import ACCEPTS_ASSOCIATION, SPEAKS_DICOM, Outcome
from pipeline.publish.escape import shown as bounded
from pipeline.publish.escape import visible
from pipeline.register import Register
from pipeline.space.plan import Plan

if TYPE_CHECKING:
    from pipeline.publish.audit import Audit

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 10.0
#: A worker that has not reported for this long is taken for gone.
GONE_SECONDS = 30.0

#: Columns of a table that is written to a file or a pipe: nobody's screen limits it.
PIPE_COLUMNS = 200

_errors = Console(stderr=True)


def _results() -> Console:
    return Console(markup=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def say(line: str) -> None:
    """A line about progress."""
    print(line, file=sys.stderr)


def warn(findings: Iterable[str]) -> None:
    """Lines about what is not as it should be, and does not end the program."""
    for finding in findings:
        print(f"warning: {visible(finding)}", file=sys.stderr)


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """What a careful person wants to read before the first packet."""
    if as_json:
        print(json.dumps(plan_page.facts(plan)))
        return
    table = Table(title=f"Plan {plan.sweep}", show_header=False)
    for row in plan_page.rows(plan):
        table.add_row(*map(visible, row))
    _results().print(table)
    _results().print(_plan_countries(plan))


def _plan_countries(plan: Plan) -> Table:
    table = Table("country", "addresses", "targets expected", title="Target space by country")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, addresses, targets in plan_page.countries(plan):
        table.add_row(name, f"{addresses:,}", f"{targets:,.0f}")
    return table


def progress(place: Sweep) -> dict[str, int]:
    """The counts of all workers of a sweep, since each began."""
    total: dict[str, int] = {}
    for worker in _workers(place):
        counts = worker["counts"]
        total = {name: total.get(name, 0) + counts.get(name, 0) for name in total | counts}
    return total


def held(place: Sweep) -> str:
    """Why the register holds back a worker that runs now; empty if it does not."""
    now = time.time()
    running = [worker for worker in _workers(place) if worker["running"] and now - worker["updated"] < GONE_SECONDS]
    return next((worker["held"] for worker in running if worker.get("held")), "")


def _workers(place: Sweep) -> list[dict[str, Any]]:
    told = store.contents(store.entries(place.progress, "*.json"))
    return [msgspec.json.decode(data, type=dict[str, Any]) for data in told]


def funnel(counts: dict[str, int]) -> dict[str, int]:
    """Progress counts as the funnel's steps."""
    visited = {outcome: counts.get(outcome.value, 0) for outcome in Outcome}
    return {
        "probed": counts.get("probed", 0),
        "responsive": counts.get("responsive", 0),
        "visited": sum(visited.values()),
        "DICOM": sum(visited[outcome] for outcome in SPEAKS_DICOM),
        "accepting": sum(visited[outcome] for outcome in ACCEPTS_ASSOCIATION),
        "echoed": visited[Outcome.ECHOED],
    }


@contextmanager
def watching(plan: Plan, place: Sweep, *, as_json: bool = False) -> Iterator[None]:
    """Show a sweep's progress while the block runs.

    On standard error, live on a terminal, a line now and then elsewhere; or for scripts, as JSON lines on standard output.
    """
    ended = threading.Event()
    watcher = threading.Thread(target=_watch_json if as_json else _watch, args=(plan, place, ended))
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(plan: Plan, place: Sweep, ended: threading.Event) -> None:
    began = time.monotonic()
    if not _errors.is_terminal:
        while not ended.wait(PLAIN_SECONDS):
            say(_line(plan, place, time.monotonic() - began))
        return
    with Live(console=_errors, transient=False) as live:
        while not ended.wait(REFRESH_SECONDS):
            live.update(_line(plan, place, time.monotonic() - began))


def _watch_json(plan: Plan, place: Sweep, ended: threading.Event) -> None:
    """A line every half second, and a last one at the end."""
    began, running = time.monotonic(), True
    while running:
        running = not ended.wait(REFRESH_SECONDS)
        facts = _facts(plan, place, time.monotonic() - began)
        print(json.dumps(facts | {"running": running}), flush=True)


def _facts(plan: Plan, place: Sweep, elapsed: float) -> dict[str, Any]:
    """How far a sweep is; seconds since this command began, and those that are left at the plan's rate."""
    counts = progress(place)
    done = counts.get("probed", 0) + counts.get("suppressed", 0)
    return {
        "sweep": place.id,
        "done": min(1.0, done / plan.targets),
        **funnel(counts),
        "suppressed": counts.get("suppressed", 0),
        "elapsed_seconds": round(elapsed, 1),
        "left_seconds": round(max(0, plan.targets - done) / plan.settings.rate, 1),
        "held": visible(held(place)),
    }


def _line(plan: Plan, place: Sweep, elapsed: float) -> str:
    facts = _facts(plan, place, elapsed)
    numbers = "  ".join(f"{name} {facts[name]:,}" for name in funnel({}))
    line = f"{facts['done']:6.1%}  {numbers}  {elapsed:.0f} s  ETA {facts['left_seconds']:.0f} s"
    reason = facts["held"]
    return f"{line}  held: {reason}" if reason else line


def show_status(lake: Place, sweep: str | None, *, as_json: bool) -> None:
    """How far a sweep is."""
    from pipeline.lake import receipts
    from pipeline.space import plan as planning

    place = store.find(lake, sweep)
    plan = planning.decode(place.plan.read_bytes(), str(place.plan))
    walk = plan.walk()
    ranges = sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))
    done = receipts.read_receipts(place)
    facts = {
        "sweep": place.id,
        "sealed": place.sealed("sweeps").exists(),
        "ranges": ranges,
        "ranges_done": len(done),
        "probes_sent": sum(receipt["probes_sent"] for receipt in done),
        "targets": plan.targets,
        "responses": sum(receipt["responses"] for receipt in done),
        "associations": sum(receipt["associations"] for receipt in done),
        "suppressed": sum(receipt["suppressed"] for receipt in done),
        "quarantined": sum(receipt.get("quarantined", 0) for receipt in done),
        "stopped_by_register": visible(held(place)),
    }
    show_facts(facts, as_json=as_json)


def show_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Facts as a list, or as JSON for scripts."""
    print(json.dumps(facts) if as_json else "\n".join(f"{name:>19}  {value}" for name, value in facts.items()))


@contextmanager
def counting() -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show counts on standard error while the block runs, as often as a sweep's progress; the last ones always."""
    gap = REFRESH_SECONDS if _errors.is_terminal else PLAIN_SECONDS
    shown, last = time.monotonic(), ""

    def tell(counts: Mapping[str, int]) -> None:
        nonlocal shown, last
        last = "  ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
        if time.monotonic() - shown >= gap:
            shown = time.monotonic()
            _errors.print(last, end="\r" if _errors.is_terminal else "\n", soft_wrap=True, markup=False)

    try:
        yield tell
    finally:
        _errors.print(last, soft_wrap=True, markup=False)


def show_result(lake: Place, sweep: str) -> None:
    """The country table and the funnel of a finished sweep, and where to go on."""
    from pipeline.publish import session, text

    with session.connect(lake) as con:
        console = _results()
        console.print(text.country_table(con, sweep))
        console.print(text.funnel(con, sweep))
    say(f"lake: {lake}\nreport: census report {lake} -o FOLDER\nSQL: census sql {lake}")


def show_audit(audit: "Audit", *, as_json: bool) -> None:
    """What an audit found, the gravest first: every text in it is safe to show."""
    from pipeline.publish import audit as publishing

    names = ("severity", "service", "declares", "findings")
    rows = list(publishing.summary(audit))
    if as_json:
        print("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows), end="\n" if rows else "")
        return
    table = Table(*names, title=f"{publishing.CONFIDENTIAL}: {audit.headline()}")
    for row in rows:
        table.add_row(*row)
    _results().print(table)


def ask(lake: Place, query: str | None, form: str) -> None:
    """Answer a query, or open a prompt."""
    from pipeline.publish import session

    if form not in ("table", "csv", "json"):
        raise InputError("--format", f"{form!r} is not one of table, csv, json")
    with session.connect(lake) as con:
        for text in [query] if query else _prompt():
            _answer(con, text, form, fatal=query is not None)


def _prompt() -> Iterator[str]:
    say("DuckDB with the views of the lake; SHOW TABLES lists them, Ctrl-D ends.")
    while True:
        try:
            yield input("census> ")
        except EOFError:
            return


def _answer(con: Any, text: str, form: str, *, fatal: bool) -> None:
    import duckdb
    import pyarrow.csv

    try:
        relation = con.sql(text)
        table = relation.to_arrow_table() if relation is not None else None
    except duckdb.Error as error:
        if fatal:
            raise InputError("query", str(error)) from None
        say(str(error))
        return
    if table is None:
        return
    if form == "json":
        print(json.dumps(table.to_pylist(), default=str))
    elif form == "csv":
        pyarrow.csv.write_csv(_flat(table), sys.stdout.buffer)
    else:
        _print_table(table)


def _flat(table: Any) -> Any:
    """The table with JSON texts in place of lists and structs, which CSV cannot hold."""
    import pyarrow as pa

    for number, column in enumerate(table.schema):
        if pa.types.is_nested(column.type):
            texts = [None if value is None else json.dumps(value, default=str) for value in table[number].to_pylist()]
            table = table.set_column(number, column.name, pa.array(texts, pa.string()))
    return table


def _print_table(table: Any) -> None:
    shown = Table()
    for name in table.column_names:
        shown.add_column(visible(name))
    for row in table.to_pylist():
        shown.add_row(*(bounded(str(value)) if value is not None else "" for value in row.values()))
    _results().print(shown)


def show_register(register: Register, *, everything: bool, as_json: bool) -> None:
    """The opt-outs that hold today, or every event of a register."""
    from pipeline.register import load, today
    from pipeline.space.register import fold

    events = load(register)[1].events
    found = fold(events, today())
    rows = [msgspec.to_builtins(event) for event in (events if everything else found.opt_outs.values())]
    resting = len(found.quarantines)
    if as_json:
        print("\n".join(json.dumps(row) for row in rows), end="\n" if rows else "")
    else:
        _print_register(rows)
    if resting:
        say(f"{resting:,} blocks are quarantined; `census quarantine {register.where} list` shows them")
    if found.stop:
        say(visible(f"stopped by {found.stop.who}: {found.stop.reason}"))
    if found.limit:
        say(visible(f"limited to {found.limit.rate:,} probes a second by {found.limit.who}"))


def show_quarantine(register: Register, *, as_json: bool) -> None:
    """The quarantines that hold today."""
    from pipeline.register import state

    rows = [msgspec.to_builtins(event) for event in state(register).quarantines.values()]
    if as_json:
        print("\n".join(json.dumps(row) for row in rows), end="\n" if rows else "")
    else:
        _print_register(rows, "nobody is quarantined")


def _print_register(rows: list[dict[str, Any]], nobody: str = "nobody has opted out") -> None:
    names = ("event", "block", "at", "who", "until", "proof", "reason", "rate", "note")
    shown = [name for name in names if any(row.get(name) for row in rows)]
    table = Table()
    for name in shown:
        table.add_column(name)
    for row in rows:
        table.add_row(*(visible(str(row.get(name) or "")) for name in shown))
    _results().print(table if rows else nobody)
