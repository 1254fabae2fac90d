"""A process that is forked with all imports done, and ends at a step, at a moment, or for want of memory.

A step is a call that changes files: one is opened for writing, made durable, renamed or removed, or a folder is made.
"""

import faulthandler
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.lake import inside

#: Calls that change files, by the names of their audit events; `open` is one if it writes.
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: The longest that a run may take, in seconds, on a machine that does much else.
PATIENCE = 600.0


class Ended(NamedTuple):
    """How a process ended: its status as wait4(2) gives it, what it returned, the processor's seconds, and what it printed."""

    status: int
    told: Any
    seconds: float
    said: str


def forked(work: Callable[[], Any], log: Path) -> Ended:
    """Do work in a process of its own, which is killed if it does not end."""
    log.write_text("")
    reading, writing = os.pipe()
    began, pid = time.monotonic(), os.fork()
    if pid == 0:
        _child(work, writing, log)
    os.close(writing)
    data = b""
    while select.select([reading], [], [], max(0.0, began + PATIENCE - time.monotonic()))[0]:
        piece = os.read(reading, 1 << 16)
        if not piece:
            break
        data += piece
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(reading)
    _, status, used = os.wait4(pid, 0)
    return Ended(status, json.loads(data or b"null"), used.ru_utime + used.ru_stime, log.read_text("utf-8", "replace"))


def _child(work: Callable[[], Any], writing: int, log: Path) -> None:
    code = 1
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        faulthandler.dump_traceback_later(PATIENCE - 5)
        os.write(writing, json.dumps(work()).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def counted(at: int | None = None) -> Callable[[], int]:
    """Count the steps of this process from here on, and kill it before step `at`; return what tells their number."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if writes or event in CHANGES:
            step()

    def with_step(function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **options: Any) -> Any:
            step()
            return function(*arguments, **options)

        return stepping

    sys.addaudithook(hear)  # neither fsync(2) nor openat2(2) has an event
    os.fsync, inside._openat2 = with_step(os.fsync), with_step(inside._openat2)  # type: ignore[assignment]
    return lambda: steps


def end_after(seconds: float) -> None:
    """End this process after so much of the processor's time, wherever it is then: nothing of it runs at SIGPROF."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def limit_memory(beyond: int) -> None:
    """Let this process have so many bytes more than it has now."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + beyond, has + beyond))


def done(ended: Ended, what: str) -> Ended:
    if ended.status:
        raise RuntimeError(f"{what} ended with status {ended.status}:\n{ended.said[-3000:]}")
    return ended
