"""The machine that the program runs on: this boot, its processes and their limits, a clock that suspension does not stop, folders."""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit

#: Where Debian puts `nft` and `ip`; neither cron's PATH nor that of ordinary users has these folders.
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")


def find_system_programs() -> None:
    """Look for programs in the system's folders too, after those of PATH."""
    folders = [os.environ.get("PATH") or os.defpath, *SYSTEM_FOLDERS]
    os.environ["PATH"] = os.pathsep.join(folders)


def pids() -> Iterator[int]:
    """Yield the processes that /proc shows now."""
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def started_at(pid: int) -> int | None:
    """When a process was started, in clock ticks since the boot, which tells it from a later one with its pid; None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # proc(5): the name may hold anything, so count from its closing bracket; field 22 is the start time.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def clock() -> float:
    """Seconds of a clock that also counts while the machine is suspended (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def raise_file_limit(files: int) -> int:
    """Let this process have this many files open, as far as its hard limit allows; return how many it may have (getrlimit(2))."""
    soft, hard = (sys.maxsize if limit == RLIM_INFINITY else limit for limit in getrlimit(RLIMIT_NOFILE))
    if soft < min(files, hard):
        soft = min(files, hard)
        setrlimit(RLIMIT_NOFILE, (soft, getrlimit(RLIMIT_NOFILE)[1]))
    return soft


def memory_available() -> int:
    """Bytes of memory that programs may still take without swapping (MemAvailable of /proc/meminfo)."""
    rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(int(row[1]) for row in rows if row[0] == "MemAvailable:") << 10


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable (fsync(2))."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def result(path: Path) -> Iterator[Path]:
    """Yield a file to write that becomes a result in a folder of the user's: whole, or not at all if the block raises.

    So a full disk leaves no empty report. A pipe or a device is written as it is. Raises OSError.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    final = path.resolve()
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(6)}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(final)
        sync(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_result(path: Path, content: str | bytes) -> None:
    """Write a result as `result` does. Raises OSError."""
    with result(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def folder(variable: str, default: str) -> Path:
    """The program's own folder on this machine (XDG Base Directory Specification).

    It is below the folder that a variable of the environment names; `default` is below the user's own.
    """
    return Path(os.environ.get(variable) or Path.home() / default) / "dicom-census"
