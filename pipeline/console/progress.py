"""How far a sweep is, next to the command that runs it: on standard error for people, as JSON lines for scripts."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.live import Live

from pipeline.console import output, screen, show
from pipeline.errors import CensusError
from pipeline.lake.layout import Sweep
from pipeline.plan import timing
from pipeline.status.snapshot import Status, SweepStatus
from pipeline.untrusted.visible import visible
from pipeline.words.steps import STEPS

#: Between two looks at the lake so many times as long passes as a look takes: looking must not slow the work down.
PATIENCE = 20
#: The steps of the funnel on the line of progress.
WATCHED = ("probed", "responsive", "speaks_dicom", "accepts_association", "echoes")
#: States of a sweep at which nobody is at work.
IDLE = frozenset({"begun", "stopped", "dead"})


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
    """The steps of a funnel on one line, without those that need no watching."""
    return "  ".join(f"{STEPS[step]} {funnel[step]:,}" for step in WATCHED)


def pace(status: Status) -> str:
    """Rate now, rate on average, hit rate and the limit of the rate, on one line; what is not known is left out."""
    now, average = f"{status.rate:,.0f}/s now", f"{status.average_rate:,.0f}/s avg"
    parts = [f"{now} ({average})" if status.rate else average]
    if status.limit:
        parts.append(f"limited to {status.limit:,}/s")
    if status.hit_rate is not None:
        parts.append(f"hits {status.hit_rate:.2%}")
    return "  ".join(parts)


def left(seconds: float | None) -> str:
    """The time that is left, in words."""
    return f"ETA {timing.spoken(seconds)}" if seconds is not None else "ETA unknown"


def _watch(sweep: Sweep, ended: threading.Event) -> None:
    if not show.live():
        for status, elapsed in _looks(sweep, ended, show.PLAIN_SECONDS):
            show.message(_line(status, elapsed), **_facts(status, elapsed))
        return
    with Live(console=screen.errors, transient=False) as live:
        for status, elapsed in _looks(sweep, ended, show.REFRESH_SECONDS):
            live.update(_line(status, elapsed))


def _watch_json(sweep: Sweep, ended: threading.Event) -> None:
    """Print a line every half second, and a last one at the end."""
    began = time.monotonic()
    for status, elapsed in _looks(sweep, ended, show.REFRESH_SECONDS):
        output.json_line(_facts(status, elapsed) | {"running": True}, flush=True)
    last = _facts(SweepStatus(sweep)(), time.monotonic() - began)
    output.json_line(last | {"running": False}, flush=True)


def _looks(sweep: Sweep, ended: threading.Event, gap: float) -> Iterator[tuple[Status, float]]:
    """Yield the status of a sweep and the seconds since the beginning, every `gap` seconds until it has ended.

    A lake that does not answer now is looked at later.
    """
    began, read, wait = time.monotonic(), SweepStatus(sweep), gap
    while not ended.wait(wait):
        looked = time.monotonic()
        with suppress(CensusError, OSError):
            yield read(), looked - began
        wait = max(gap, PATIENCE * (time.monotonic() - looked))


def _facts(status: Status, elapsed: float) -> dict[str, Any]:
    """How far a sweep is; seconds since this command began, and those that are left (null if nothing runs)."""
    return {
        "sweep": status.sweep,
        "state": status.state,
        "done": round(status.share, 4),
        **status.funnel,
        "suppressed": status.suppressed,
        "rate": status.rate,
        "average_rate": round(status.average_rate, 1),
        "hit_rate": status.hit_rate,
        "limit": status.limit,
        "elapsed_seconds": round(elapsed, 1),
        "left_seconds": None if status.eta_seconds is None else round(status.eta_seconds, 1),
        "held": visible(status.stopped_by_register),
    }


def _state(state: str) -> str:
    """A state next to the command that runs the sweep: while none of its workers is at work, it is about to start one."""
    return "starting" if state in IDLE else state


def _line(status: Status, elapsed: float) -> str:
    paused = visible(status.stopped_by_register)
    return "  ".join(
        (
            f"{status.share:6.1%} of the time",
            steps(status.funnel),
            pace(status),
            f"after {timing.spoken(elapsed)}",
            f"paused: {paused}"
            if paused
            else left(status.eta_seconds)
            if status.state == "running"
            else _state(status.state),
        )
    )
