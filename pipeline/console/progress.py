"""How far a sweep is, next to the command that runs it: on standard error for people, as JSON lines for scripts."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.live import Live

from pipeline.console import show
from pipeline.lake.layout import Sweep
from pipeline.publish.escape import visible
from pipeline.status import snapshot


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


@contextmanager
def served(sweep: Sweep, address: str | None) -> Iterator[None]:
    """Serve a sweep's metrics at [HOST:]PORT while the block runs; nothing is served without an address."""
    if address is None:
        yield
        return
    from pipeline.status import metrics

    with metrics.served(sweep, address) as url:
        show.message(f"metrics: {url}")
        yield


def steps(funnel: dict[str, Any]) -> str:
    """The steps of a funnel on one line; other keys are left out."""
    return "  ".join(f"{name} {funnel[name]:,}" for name in snapshot.funnel(snapshot.counts([])))


def _watch(sweep: Sweep, ended: threading.Event) -> None:
    began = time.monotonic()
    if not show.live():
        while not ended.wait(show.PLAIN_SECONDS):
            facts = _facts(sweep, time.monotonic() - began)
            show.message(_line(facts), **facts)
        return
    with Live(console=show.errors, transient=False) as live:
        while not ended.wait(show.REFRESH_SECONDS):
            live.update(_line(_facts(sweep, time.monotonic() - began)))


def _watch_json(sweep: Sweep, ended: threading.Event) -> None:
    """Print a line every half second, and a last one at the end."""
    began, running = time.monotonic(), True
    while running:
        running = not ended.wait(show.REFRESH_SECONDS)
        facts = _facts(sweep, time.monotonic() - began)
        print(json.dumps(facts | {"running": running}), flush=True)


def _facts(sweep: Sweep, elapsed: float) -> dict[str, Any]:
    """How far a sweep is; seconds since this command began, and those that are left at the plan's rate."""
    workers, plan = snapshot.worker_progress(sweep.paths), sweep.plan
    counts = snapshot.counts(workers)
    done = counts["probed"] + counts["suppressed"]
    return {
        "sweep": sweep.paths.id,
        "done": min(1.0, done / plan.targets),
        **snapshot.funnel(counts),
        "suppressed": counts["suppressed"],
        "elapsed_seconds": round(elapsed, 1),
        "left_seconds": round(max(0, plan.targets - done) / plan.settings.rate, 1),
        "held": visible(snapshot.pause_reason(workers, time.time())),
    }


def _line(facts: dict[str, Any]) -> str:
    times = f"{facts['elapsed_seconds']:.0f} s  ETA {facts['left_seconds']:.0f} s"
    line = f"{facts['done']:6.1%}  {steps(facts)}  {times}"
    reason = facts["held"]
    return f"{line}  paused: {reason}" if reason else line
