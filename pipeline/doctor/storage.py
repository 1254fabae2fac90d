"""The lake and the register: can they be written, do their locks hold, is there room, may a sweep begin."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

from pipeline.doctor.finding import Finding, Subject, ok, stop, warning
from pipeline.lake import store
from pipeline.lake.store import Location
from pipeline.optout import register

#: Assumed share of targets that answer: an Internet-wide census of one port has some 20 million of 3.7 billion (docs/scale.md).
ANSWERING = 20 / 3702
#: Bytes in journals, parts and the sealed table of a target that answers, at most; and of a receipt (docs/benchmarks.md).
ANSWER_BYTES, RECEIPT_BYTES = 400, 2000
#: Files of a range that is being run: journals, a visit log, a lease; and of one that is done.
FILES_A_RANGE = 8


def lake(subject: Subject) -> Iterator[Finding]:
    """Write an object to the lake, replace it on a condition, and see that a stale condition is refused."""
    if subject.lake is None:
        return
    where = subject.lake
    with _probe_in(where) as probe:
        first = store.swap(probe, b"1", after=None)
        second = store.swap(probe, b"2", after=first)
        stale = store.swap(probe, b"3", after=first)
    if first is None or second is None or stale is not None:
        yield stop(
            f"{where} does not keep two workers apart: a conditional write had the wrong result",
            "use a local disk, or an object store with conditional puts (docs/lake.md)",
        )
    else:
        yield ok(f"{where} can be written, and a write on a stale condition is refused")


@contextmanager
def _probe_in(lake: Location) -> Iterator[Location]:
    """A name for an object of a lake, in a folder of its own; nothing is left afterwards, not even a lake that was not there."""
    folder = lake / f".doctor-{secrets.token_hex(4)}"
    new = [place for place in (lake, *lake.parents) if not place.exists()] if isinstance(lake, Path) else []
    try:
        yield folder / "object"
    finally:
        if isinstance(folder, Path):
            shutil.rmtree(folder, ignore_errors=True)
            for place in new:
                place.rmdir()
        else:
            (folder / "object").unlink(missing_ok=True)


def room(subject: Subject) -> Iterator[Finding]:
    """Compare free bytes and inodes of the lake's disk with what the plan may write."""
    plan, where = subject.plan, subject.lake
    if plan is None or not isinstance(where, Path):
        return
    ranges = int(plan.walk().range_counts.sum())
    needed = int(plan.targets * ANSWERING * ANSWER_BYTES) + ranges * RECEIPT_BYTES
    status = os.statvfs(next(folder for folder in (where.resolve(), *where.resolve().parents) if folder.exists()))
    free, inodes = status.f_bavail * status.f_frsize, status.f_favail
    text = (
        f"{free >> 20:,} MB are free for the lake; this plan needs about {max(1, needed >> 20):,} MB where 0.5 % answer"
    )
    yield ok(text) if free > 2 * needed else warning(text, "free some, or name another lake in [lake] url")
    if status.f_files and inodes < ranges * FILES_A_RANGE:
        yield warning(
            f"{inodes:,} inodes are free; this plan may need {ranges * FILES_A_RANGE:,}",
            "free some, or take fewer shards",
        )


def own_stop(subject: Subject) -> Iterator[Finding]:
    """See that the sweep could stop itself: the alarm, control targets and the harm check write into the register."""
    plan, where = subject.plan, subject.lake
    if plan is None or where is None or not (plan.alarm.false_alarms or plan.control.targets or plan.harm):
        return
    obeyed = register.of(plan.register, where)
    if obeyed.writable():
        yield ok(f"the sweep can stop itself: {obeyed.where} can be written")
    else:
        yield stop(
            f"{obeyed.where} cannot be written by {getuser()}, so the sweep could not stop itself",
            "give it to the user who sweeps, in a folder where that user may write",
        )


def opt_outs(subject: Subject) -> Iterator[Finding]:
    """Read the register that the sweep would obey; a stop or a limit in force is reported."""
    plan, where = subject.plan, subject.lake
    if plan is None or where is None:
        return
    obeyed = register.of(plan.register, where)
    if not plan.register and not (where / register.DEFAULT_NAME).exists() and not (where / "plans").exists():
        yield ok(f"the register will be {obeyed.where}, empty at first")
        return
    state = register.state(obeyed)
    if state.stop is None:
        yield ok(f"the register {obeyed.where} can be read, and stops no sweep")
    else:
        yield stop(f"{obeyed.where} stops every sweep: {state.stop.reason}", f"`census go {obeyed.where}` resumes")
    if state.limit and state.limit.rate:
        yield warning(
            f"{obeyed.where} limits every worker to {state.limit.rate:,} probes/s",
            f"`census rate {obeyed.where}` lifts the limit",
        )
