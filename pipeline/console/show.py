"""What people see: progress on standard error, results on standard output."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.table import Table

from pipeline.console import plan_summary
from pipeline.lake.store import Location
from pipeline.optout.register import Register
from pipeline.publish.escape import visible
from pipeline.space.plan import Plan

if TYPE_CHECKING:
    from pipeline.publish.audit import Audit

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 10.0
#: Columns of a table that is written to a file or a pipe: nobody's screen limits it.
PIPE_COLUMNS = 200

#: Where progress goes.
errors = Console(stderr=True)


def results() -> Console:
    """Where results go: as wide as the screen, or as wide as a table is where there is none."""
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
        print(json.dumps(plan_summary.facts(plan)))
        return
    table = Table(title=f"Plan {plan.sweep}", show_header=False)
    for row in plan_summary.rows(plan):
        table.add_row(*map(visible, row))
    results().print(table)
    results().print(_plan_countries(plan))


def _plan_countries(plan: Plan) -> Table:
    table = Table("country", "addresses", "targets expected", title="Target space by country")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, addresses, targets in plan_summary.countries(plan):
        table.add_row(name, f"{addresses:,}", f"{targets:,.0f}")
    return table


def show_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Facts as a list, or as JSON for scripts."""
    print(json.dumps(facts) if as_json else "\n".join(f"{name:>19}  {value}" for name, value in facts.items()))


@contextmanager
def counting() -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show counts on standard error while the block runs, as often as a sweep's progress; the last ones always."""
    gap = REFRESH_SECONDS if errors.is_terminal else PLAIN_SECONDS
    shown, last = time.monotonic(), ""

    def tell(counts: Mapping[str, int]) -> None:
        nonlocal shown, last
        last = "  ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
        if time.monotonic() - shown >= gap:
            shown = time.monotonic()
            errors.print(last, end="\r" if errors.is_terminal else "\n", soft_wrap=True, markup=False)

    try:
        yield tell
    finally:
        errors.print(last, soft_wrap=True, markup=False)


def show_result(lake: Location, sweep: str) -> None:
    """The country table and the funnel of a finished sweep, and where to go on."""
    from pipeline.publish import terminal
    from pipeline.views import connection

    with connection.connect(lake) as con:
        facts = terminal.facts(con, sweep)
    console = results()
    console.print(terminal.country_table(facts, console.width))
    console.print(terminal.funnel(facts))
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
    results().print(table)


def show_register(register: Register, *, everything: bool, as_json: bool) -> None:
    """The opt-outs that hold today, or every event of a register."""
    from pipeline.optout.events import fold
    from pipeline.optout.register import load, today

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
    from pipeline.optout.register import state

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
    results().print(table if rows else nobody)
