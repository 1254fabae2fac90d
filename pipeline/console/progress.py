"""A sweep as it is now, on a screen or for scripts: beside the command that runs it, or from its lake alone."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import msgspec
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.console import plan_summary, show
from pipeline.lake import layout
from pipeline.lake.layout import Sweep
from pipeline.lake.store import Location
from pipeline.publish.escape import visible
from pipeline.status import snapshot
from pipeline.status.snapshot import STATES, Status, SweepStatus

#: How often the status of a lake is looked at: on a terminal, and where lines are written.
LIVE_SECONDS = 1.0
LINE_SECONDS = 10.0


@contextmanager
def watching(sweep: Sweep, *, as_json: bool = False) -> Iterator[None]:
    """Show a sweep's progress while the block runs.

    On standard error, live on a terminal, a line now and then elsewhere; or for scripts, as JSON lines on standard output.
    """
    ended = threading.Event()
    watcher = threading.Thread(target=_watch_json if as_json else _watch, args=(sweep, ended))
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _watch(sweep: Sweep, ended: threading.Event) -> None:
    began, errors = time.monotonic(), show.errors
    if not errors.is_terminal:
        while not ended.wait(show.PLAIN_SECONDS):
            show.say(_line(sweep, time.monotonic() - began))
        return
    with Live(console=errors, transient=False) as live:
        while not ended.wait(show.REFRESH_SECONDS):
            live.update(_line(sweep, time.monotonic() - began))


def _watch_json(sweep: Sweep, ended: threading.Event) -> None:
    """A line every half second, and a last one at the end."""
    began, running = time.monotonic(), True
    while running:
        running = not ended.wait(show.REFRESH_SECONDS)
        facts = _facts(sweep, time.monotonic() - began)
        print(json.dumps(facts | {"running": running}), flush=True)


def _facts(sweep: Sweep, elapsed: float) -> dict[str, Any]:
    """How far a sweep is; seconds since this command began, and those that are left at the plan's rate."""
    workers = snapshot.worker_progress(sweep.paths)
    counts = snapshot.counts(workers)
    done = counts["probed"] + counts["suppressed"]
    return {
        "sweep": sweep.paths.id,
        "done": min(1.0, done / sweep.plan.targets),
        **snapshot.funnel(counts),
        "suppressed": counts["suppressed"],
        "elapsed_seconds": round(elapsed, 1),
        "left_seconds": round(max(0, sweep.plan.targets - done) / sweep.plan.settings.rate, 1),
        "held": visible(snapshot.pause_reason(workers, time.time())),
    }


def _line(sweep: Sweep, elapsed: float) -> str:
    facts = _facts(sweep, elapsed)
    line = f"{facts['done']:6.1%}  {_steps(facts)}  {elapsed:.0f} s  ETA {facts['left_seconds']:.0f} s"
    reason = facts["held"]
    return f"{line}  held: {reason}" if reason else line


def _steps(facts: dict[str, Any]) -> str:
    return "  ".join(f"{name} {facts[name]:,}" for name in snapshot.funnel(snapshot.counts([])))


def show_status(
    lake: Location, sweep_id: str | None, *, as_json: bool, watch: bool = False, metrics: str | None = None
) -> None:
    """How a sweep is; with `watch` again and again until it is sealed, with `metrics` until it is interrupted."""
    sweep = layout.open_sweep(lake, sweep_id)
    look = SweepStatus(sweep)
    if not (watch or metrics):
        found = look()
        print(_json(found) if as_json else _page(found))
        return
    live = None if as_json or not sys.stdout.isatty() else Live(console=show.results(), auto_refresh=False)
    with measured(sweep, metrics), live or nullcontext():
        while _shown(look(), live, as_json=as_json) != "sealed" or metrics:
            time.sleep(LIVE_SECONDS if live else LINE_SECONDS)


def _shown(found: Status, live: Live | None, *, as_json: bool) -> str:
    """Show a status among others; its state."""
    if live:
        live.update(_board(found), refresh=True)
    else:
        print(_json(found) if as_json else _brief(found), flush=True)
    return found.state


@contextmanager
def measured(sweep: Sweep, where: str | None) -> Iterator[None]:
    """Serve a sweep's metrics while the block runs, if anybody wants them."""
    if where is None:
        yield
        return
    from pipeline.status import metrics

    with metrics.served(sweep, where) as address:
        show.say(f"metrics: {address}")
        yield


def _rows(found: Status) -> Iterator[tuple[str, str]]:
    """What and its value, the state first; without what there is nothing to tell of."""
    yield "sweep", found.sweep
    yield "state", f"{found.state}: {STATES[found.state]}"
    if found.stopped_by_register:
        yield "held by the register", visible(found.stopped_by_register)
    yield "ranges", f"{found.ranges_done:,} of {found.ranges:,} ({found.share:.1%}), in {found.shards} shards"
    yield "probes sent", f"{found.probes_sent:,} of {found.targets:,}"
    counts = {"withheld by the register": found.suppressed, "of these quarantined": found.quarantined}
    yield from ((name, f"{count:,}") for name, count in counts.items() if count)
    if found.revisited:
        yield "visited again after a crash", f"{found.revisited:,}"
    yield from ((name, f"{count:,}") for name, count in found.funnel.items())
    if found.workers:
        yield "rate", f"{found.rate:,.0f} probes/s by {found.workers} workers"
    if found.eta_seconds is not None:
        yield "left", plan_summary.duration(found.eta_seconds)
    if found.loss is not None:
        yield "missed by the first SYN", f"{found.loss:.2%}"
    for holder in found.holders:
        mark = "alive" if holder.alive else "dead"
        words = f"{holder.host}, process {holder.pid}, {mark}: renewed {holder.renewed_seconds_ago:.0f} s ago"
        yield f"lease {holder.lease}", visible(words)


def _page(found: Status) -> str:
    return "\n".join(f"{name:>27}  {value}" for name, value in _rows(found))


def _json(found: Status) -> str:
    return msgspec.json.encode(found).decode()


def _brief(found: Status) -> str:
    return f"{found.share:6.1%}  {found.state}  {_steps(found.funnel)}"


def _board(found: Status) -> Group:
    """The live view: a bar, and the same lines as the page."""
    table = Table.grid(padding=(0, 2))
    for name, value in _rows(found):
        table.add_row(name, Text(value))
    return Group(ProgressBar(total=1.0, completed=found.share), table)
