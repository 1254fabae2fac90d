"""`census status`: one sweep of a lake as it is now, or all of them, on a screen or for scripts."""

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.console import output, progress, screen, show
from pipeline.lake import layout
from pipeline.lake.store import Location
from pipeline.plan import timing
from pipeline.status import overview
from pipeline.status.overview import Overview
from pipeline.status.snapshot import STATES, Status, SweepStatus
from pipeline.untrusted.visible import visible
from pipeline.words.plural import plural
from pipeline.words.steps import STEPS

#: How often the lake is read again: for a terminal, and for lines that are written.
LIVE_SECONDS = 1.0
LINE_SECONDS = 10.0


def show_sweep(
    lake: Location, sweep_id: str | None, *, as_json: bool, watch: bool = False, metrics: str | None = None
) -> None:
    """Show one sweep; with `watch` again and again until it is sealed, with `metrics` until it is interrupted."""
    sweep = layout.open_sweep(lake, sweep_id)
    look = SweepStatus(sweep)
    if not (watch or metrics):
        _show_once(look(), others=len(layout.sweeps(lake)) - 1, lake=lake, as_json=as_json)
        return
    live = None if as_json or not sys.stdout.isatty() else Live(console=screen.results(), auto_refresh=False)
    with progress.served(sweep, metrics), live or nullcontext():
        while _refresh(look(), live, as_json=as_json) != "sealed" or metrics:
            time.sleep(LIVE_SECONDS if live else LINE_SECONDS)


def show_all(lake: Location, *, as_json: bool) -> None:
    """List every sweep of a lake, oldest first."""
    sweeps = overview.sweeps(lake)
    if as_json:
        for sweep in sweeps:
            output.json_line(sweep)
        return
    table = Table("sweep", "state", "began (UTC)", "targets", "done", "services", "sealed", "enriched")
    for column in table.columns[3:6]:
        column.justify = "right"
    for sweep in sweeps:
        table.add_row(*_cells(sweep))
    screen.results().print(table)


def _cells(sweep: Overview) -> Iterator[str]:
    yield visible(sweep.sweep)
    yield sweep.state
    yield f"{sweep.began.astimezone(UTC):%Y-%m-%d %H:%M}" if sweep.began else "–"
    yield f"{sweep.targets:,}" if sweep.targets is not None else "–"
    yield f"{sweep.done:.1%}" if sweep.done is not None else "–"
    yield f"{sweep.services:,}" if sweep.services is not None else "–"
    yield from ("yes" if flag else "no" for flag in (sweep.sealed, sweep.enriched))


def _show_once(status: Status, *, others: int, lake: Location, as_json: bool) -> None:
    """Print a status, and say where the lake's other sweeps are listed."""
    _write(status, _page(status), as_json=as_json)
    if others and not as_json:
        sweeps = plural(others, "other sweep is", "other sweeps are")
        show.message(f"{sweeps} in this lake; `census sweeps {lake}` lists them")


def _refresh(status: Status, live: Live | None, *, as_json: bool) -> str:
    """Show the next status of a sweep that is watched; return its state."""
    if live:
        live.update(_board(status), refresh=True)
    else:
        _write(status, _brief(status), as_json=as_json)
    return status.state


def _rows(status: Status) -> Iterator[tuple[str, str]]:
    """Yield name and value of each fact, the state first; facts that do not apply are left out."""
    yield "sweep", status.sweep
    yield "state", f"{status.state}: {STATES[status.state]}"
    if status.stopped_by_register:
        yield "paused", visible(status.stopped_by_register)
    yield "done", f"{status.share:.1%} of the time that it takes at the plan's rate"
    yield (
        "ranges",
        f"{status.ranges_done:,} of {status.ranges:,} have their receipts, in {plural(status.shards, 'shard')}",
    )
    yield from _repeated(status)
    yield "targets", f"{status.targets:,}"
    counts = {"withheld by the register": status.suppressed, "of these quarantined": status.quarantined}
    yield from ((name, f"{count:,}") for name, count in counts.items() if count)
    yield from ((STEPS[step], f"{count:,}") for step, count in status.funnel.items())
    if status.workers:
        yield (
            "rate",
            f"{status.rate:,.0f} probes/s now, {status.average_rate:,.0f} on average, by {plural(status.workers, 'worker')}",
        )
    if status.limit:
        yield "limit of the register", f"{status.limit:,} probes/s"
    if status.hit_rate is not None:
        accepted = status.funnel["accepts_data"] / status.funnel["probed"]
        yield "hit rate", f"{status.hit_rate:.2%} of the targets probed; {accepted:.2%} accepted our data"
    if status.eta_seconds is not None:
        yield "left", timing.spoken(status.eta_seconds)
    if status.loss is not None:
        yield "missed by the first SYN", f"{status.loss:.2%}"
    for holder in status.holders:
        mark = "alive" if holder.alive else "dead"
        text = f"{holder.host}, process {holder.pid}, {mark}: renewed {holder.renewed_seconds_ago:.0f} s ago"
        yield f"lease {holder.lease}", visible(text)


def _repeated(status: Status) -> Iterator[tuple[str, str]]:
    """Yield what was done again, and what was done too late."""
    if status.ranges_again:
        yield (
            "attempts beyond the first",
            f"{status.ranges_again:,}: their ranges were cut off, and probed again from the start",
        )
    if status.ranges_void:
        yield (
            "receipts that were void",
            f"{status.ranges_void:,}: the hit rate had fallen, and their ranges are run again",
        )
    if status.revisited:
        yield "visited again after a crash", f"{status.revisited:,}"
    if status.late_deadlines:
        yield (
            "ended late by us",
            f"{status.late_deadlines:,}: the machine was too busy, and may have missed their answers",
        )


def _page(status: Status) -> str:
    return "\n".join(f"{name:>27}  {value}" for name, value in _rows(status))


def _write(status: Status, lines: str, *, as_json: bool) -> None:
    if as_json:
        output.json_line(status, flush=True)
    else:
        output.text(lines, flush=True)


def _brief(status: Status) -> str:
    return f"{status.share:6.1%}  {status.state}  {progress.steps(status.funnel)}  {progress.pace(status)}"


def _board(status: Status) -> Group:
    """The live view: a bar, and the same lines as the page."""
    table = Table.grid(padding=(0, 2))
    for name, value in _rows(status):
        table.add_row(name, Text(value))
    return Group(ProgressBar(total=1.0, completed=status.share), table)
