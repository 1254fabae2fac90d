"""The machine: kernel, memory, open files, processes, clock, temporary folder. Everything is read from the kernel."""

import ctypes
import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline import host
from pipeline.config.sections import AssociateSection
from pipeline.doctor.finding import Finding, Subject, ok, stop, warning
from pipeline.worker import open_files, task_limit

#: Memory of a process of a worker, and of rings, ranges and silent hosts at the highest rates (docs/scale.md), in MB.
PROCESS_MB, SENDING_MB = 110, 404
#: adjtimex(2): mode 0 reads; this bit of the status says that nothing keeps the clock.
STA_UNSYNC = 0x40
#: struct timex is 208 bytes on 64-bit Linux; its status is the int at 40, its largest error in microseconds the long at 24.
TIMEX_BYTES, TIMEX_STATUS, TIMEX_MAX_ERROR = 208, 40, 24
#: A wall clock may be this far off: every row carries times, and sweeps of several vantages are compared by them.
CLOCK_SECONDS = 1.0
#: Disk that the temporary folder needs: sockets and the plan.
TEMPORARY_MB = 64


def kernel(_: Subject) -> Iterator[Finding]:
    """Name the system that the program runs on."""
    system = platform.uname()
    yield ok(f"{system.system} {system.release}, {os.cpu_count()} processors, Python {platform.python_version()}")


def memory(subject: Subject) -> Iterator[Finding]:
    """Compare the memory that is available with what a worker's processes need."""
    senders = subject.plan.probe.processes if subject.plan else 1
    associators = subject.plan.associate.processes if subject.plan else 1
    needed = PROCESS_MB * (senders + associators + 2) + SENDING_MB
    available = host.memory_available() >> 20
    text = f"{available:,} MB of memory are available, a sweep needs up to {needed:,} MB"
    yield ok(text) if available >= needed else warning(text, "end other programs, or take fewer senders")


def file_limit(subject: Subject) -> Iterator[Finding]:
    """Compare the hard limit of open files, to which a worker's processes raise their own, with what they may need."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    at_once = subject.plan.associate.at_once if subject.plan else AssociateSection().at_once
    needed = max(at_once + open_files.OTHER_FILES, open_files.needed(subject.plan) if subject.plan else 0)
    text = f"a process may open {'any number of' if hard < 0 else f'{hard:,}'} files, and needs up to {needed:,}"
    if 0 <= hard < needed:
        yield warning(text, f"{open_files.REMEDY}, or lower [associate] at_once")
    else:
        yield ok(text)


def tasks(subject: Subject) -> Iterator[Finding]:
    """Compare the processes and threads that may still start with what a sweep needs."""
    limit = task_limit.lowest()
    if limit is None:
        yield ok("nothing limits the number of processes and threads")
        return
    needed = task_limit.needed(subject.plan)
    text = task_limit.shortage(limit, needed)
    yield ok(text) if limit.left >= needed else stop(text, limit.remedy)


def clock(_: Subject) -> Iterator[Finding]:
    """Ask the kernel whether something keeps the wall clock right (adjtimex(2))."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    status = int.from_bytes(timex.raw[TIMEX_STATUS : TIMEX_STATUS + 4], "little")
    error = int.from_bytes(timex.raw[TIMEX_MAX_ERROR : TIMEX_MAX_ERROR + 8], "little") / 1e6
    remedy = "run an NTP client (systemd-timesyncd, chrony): rows carry the time, and vantages are compared by it"
    if status & STA_UNSYNC:
        yield warning("the kernel does not know of anything that keeps the clock right", remedy)
    elif error > CLOCK_SECONDS:
        yield warning(f"the clock may be off by {error:.1f} s", remedy)
    else:
        yield ok(f"the clock is right to {error:.3f} s")


def temporary_folder(_: Subject) -> Iterator[Finding]:
    """Look whether the processes' sockets have a folder to be in."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        yield stop(f"there is no temporary folder: {error.strerror}", "set TMPDIR to a folder that you may write to")
        return
    free = shutil.disk_usage(folder).free >> 20
    text = f"{folder} has {free:,} MB free for temporary files"
    yield ok(text) if free >= TEMPORARY_MB else stop(text, f"free {TEMPORARY_MB} MB there, or set TMPDIR")
