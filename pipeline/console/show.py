"""What people see: progress on standard error, results on standard output."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table

from pipeline import logs
from pipeline.console import output
from pipeline.console.screen import errors, results
from pipeline.lake.store import Location
from pipeline.optout import obeyed
from pipeline.optout.edit import Addition
from pipeline.optout.obeyed import ObeyedRegister
from pipeline.optout.register import Register
from pipeline.plan.plan import Plan
from pipeline.untrusted.visible import visible
from pipeline.words.plural import plural

if TYPE_CHECKING:
    from pipeline.publish.audit import Audit

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 10.0


def live() -> bool:
    """Whether progress is shown on one place of a screen, not as a line now and then."""
    return errors.is_terminal and not logs.as_json()


def message(line: str, **fields: object) -> None:
    """Print a line about progress; as JSON it has the fields too."""
    logs.info(line, **fields)


def warn(findings: Iterable[str]) -> None:
    """Print what is not as it should be and does not end the program, a line each."""
    for finding in findings:
        logs.warning(visible(finding))


def plan(frozen: Plan, *, as_json: bool) -> None:
    """Print what a careful person reads before the first packet, with what it means at this vantage."""
    from pipeline.console import plan_summary

    if as_json:
        output.json_line(plan_summary.facts(frozen))
        return
    table = Table(title=f"Plan {frozen.sweep}", show_header=False)
    for row in plan_summary.rows(frozen):
        table.add_row(*map(visible, row))
    results().print(table)
    results().print(_countries(plan_summary.countries(frozen)))


def _countries(countries: Iterable[tuple[str, int, float]]) -> Table:
    table = Table("country", "addresses", "targets expected", title="Target space by country")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, addresses, targets in countries:
        table.add_row(name, f"{addresses:,}", f"{targets:,.0f}")
    return table


def facts(values: Mapping[str, Any], *, as_json: bool) -> None:
    """Print names and values as a list, or as JSON for scripts."""
    if as_json:
        output.json_line(values)
    else:
        output.text("\n".join(f"{name:>19}  {value}" for name, value in values.items()))


@contextmanager
def counting() -> Iterator[Callable[[Mapping[str, int]], None]]:
    """Show counts on standard error while the block runs, as often as a sweep's progress; the last ones always."""
    gap = REFRESH_SECONDS if live() else PLAIN_SECONDS
    printed, last = time.monotonic(), dict[str, int]()

    def line() -> str:
        return "  ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in last.items())

    def show(counts: Mapping[str, int]) -> None:
        nonlocal printed, last
        last = dict(counts)
        if time.monotonic() - printed >= gap:
            printed = time.monotonic()
            if live():
                errors.print(line(), end="\r", soft_wrap=True)
            else:
                message(line(), **last)

    try:
        yield show
    finally:
        message(line(), **last)


def sweep_result(lake: Location, sweep_id: str) -> None:
    """Print the countries and the funnel of a finished sweep."""
    from pipeline.publish import terminal
    from pipeline.views import connection

    with connection.connect(lake) as con:
        sweep_facts = terminal.facts(con, sweep_id)
    console = results()
    for line in terminal.banner(sweep_facts):
        console.print(line)
    console.print(terminal.country_table(sweep_facts, console.width))
    console.print(terminal.funnel_table(sweep_facts))


def audit(audited: "Audit", *, as_json: bool) -> None:
    """Print the findings of an audit, the gravest first; every text in them is safe to show."""
    from pipeline.publish import audit as publishing

    names = ("severity", "service", "declares", "findings")
    rows = list(publishing.summary(audited))
    if as_json:
        _json_lines(dict(zip(names, row, strict=True)) for row in rows)
        return
    table = Table(*names, title=f"{publishing.CONFIDENTIAL}: {audited.headline()}")
    for row in rows:
        table.add_row(*row)
    results().print(table)


def opt_outs(register: Register, *, everything: bool, as_json: bool) -> None:
    """Print the opt-outs in force today, or every event of a register."""
    from pipeline.optout.events import fold
    from pipeline.optout.register import load, today

    events = load(register)[1].events
    state = fold(events, today())
    rows = [msgspec.to_builtins(event) for event in (events if everything else state.opt_outs.values())]
    if as_json:
        _json_lines(rows)
    else:
        _print_events(rows, "nobody has opted out")
    if state.quarantines:
        count = len(state.quarantines)
        message(
            f"{plural(count, 'block is', 'blocks are')} quarantined; `census quarantine {register.where} list` shows them"
        )
    if state.stop:
        message(visible(f"stopped by {state.stop.who}: {state.stop.reason}"))
    if state.limit:
        message(visible(f"limited to {state.limit.rate:,} probes a second by {state.limit.who}"))


def additions(named: ObeyedRegister, added: Sequence[Addition]) -> None:
    """Print which blocks were opted out now, which were already, and how many of their addresses answered lately."""
    new = [addition.block for addition in added if addition.before is None]
    if new:
        message(f"opted out: {', '.join(new)}")
    for addition in added:
        if before := addition.before:
            within = "" if before.block == addition.block else f", as part of {before.block}"
            message(
                visible(
                    f"opted out already: {addition.block}{within}, on {before.at:%Y-%m-%d} by {before.who}; the new line is kept too"
                )
            )
        if named.lake and (seen := obeyed.answered(named.lake, addition.block)):
            message(f"{addition.block}: {plural(seen[1], 'address', 'addresses')} of it answered in sweep {seen[0]}")
    if not named.lake:
        message(
            f"obeyed by sweeps whose configuration names it: [optout] register = {json.dumps(named.register.where)}"
        )


def limit(named: ObeyedRegister, rate: int | None) -> None:
    """Print what a limit of the rate changes; plans' own rates are lower if they are below it."""
    if rate is None:
        message("plans' own rates apply again")
        return
    message(f"no worker sends more than {plural(rate, 'probe')} a second; a plan's own rate applies if it is lower")
    for plan in named.plans:
        if plan.settings.rate <= rate:
            message(f"{plan.sweep} is not slowed down: its plan's rate is {plan.settings.rate:,}")


def quarantines(register: Register, *, as_json: bool) -> None:
    """Print the quarantines in force today."""
    from pipeline.optout.register import state

    rows = [msgspec.to_builtins(event) for event in state(register).quarantines.values()]
    if as_json:
        _json_lines(rows)
    else:
        _print_events(rows, "nobody is quarantined")


def _print_events(rows: list[dict[str, Any]], nothing: str) -> None:
    """Print events of a register with the columns that any of them has, or a sentence if there is none."""
    names = ("event", "block", "at", "who", "until", "proof", "reason", "rate", "note")
    columns = [name for name in names if any(row.get(name) for row in rows)]
    table = Table(*columns)
    for row in rows:
        table.add_row(*(visible(str(row.get(name) or "")) for name in columns))
    results().print(table if rows else nothing)


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        output.json_line(row)
