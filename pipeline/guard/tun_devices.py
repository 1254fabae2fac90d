"""Which processes have a tun device open.

/proc names the device that a descriptor is of (proc_pid_fdinfo(5)), but not the namespace which that device is in, and every
namespace may have a tun0. So the descriptor is taken (pidfd_getfd(2)), and its device asked (TUNGETDEVNETNS).
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import host

PIDFD_GETFD = 438  # asm-generic/unistd.h; the same number on every architecture
TUNGETDEVNETNS = 0x54E3  # linux/if_tun.h: _IO('T', 227)
#: The process has ended, or has closed the device meanwhile.
OVER = frozenset({errno.ESRCH, errno.EBADF, errno.ENOENT})


def openers(name: str, namespace: int) -> Iterator[int]:
    """The processes that have the tun device of this name in this network namespace (its inode) open.

    One whose device is not known to be elsewhere is among them: the kernel is too old, or we may not look.
    """
    for pid in host.pids():
        if any(_home(pid, descriptor) in (namespace, 0) for descriptor in _descriptors(pid, name)):
            yield pid


def _descriptors(pid: int, name: str) -> Iterator[int]:
    """The descriptors of a process that are of a tun device of this name."""
    try:
        opened = list(Path(f"/proc/{pid}/fdinfo").iterdir())
    except OSError:
        return  # it has ended, or we may not look
    for path in opened:
        if f"iff:\t{name}\n" in _text(path):
            yield int(path.name)


def _home(pid: int, descriptor: int) -> int | None:
    """The namespace of the device behind a process's descriptor; 0 if it cannot be known, None if it is open no more."""
    try:
        with (
            _closing(os.pidfd_open(pid)) as process,
            _closing(_taken(process, descriptor)) as device,
            _closing(fcntl.ioctl(device, TUNGETDEVNETNS, 0)) as home,
        ):
            return os.fstat(home).st_ino
    except OSError as error:
        return None if error.errno in OVER else 0


def _taken(process: int, descriptor: int) -> int:
    """A copy of another process's descriptor (pidfd_getfd(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    copy = int(libc.syscall(ctypes.c_long(PIDFD_GETFD), process, descriptor, 0))
    if copy < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return copy


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
