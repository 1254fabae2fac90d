"""Files inside a lake's folder: what is written, read or removed is inside it, whatever the lake holds.

A lake may come from elsewhere, and then a link in it may lead anywhere. Every path of a sweep has the form
`LAKE/FOLDER/sweep=ID/…` (`layout`), so the lake is known from the path. What follows it is resolved below the lake's real folder
without a link or `..` (openat2(2); without that call folder by folder, which comes to the same), and must be an ordinary file
with one name. The way to the lake itself may have links. Other files, such as a report's, are resolved below their own folder.

Where a lake's folder passes its group on and the group may write there (`chmod 2770`), so may it in all that is made below.
"""

import ctypes
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn

from pipeline.errors import InputError
from pipeline.untrusted import bounded

SWEEP = "sweep="
#: A lake's folder, when it is made: rows have addresses, which are nobody else's business.
LAKE_MODE = 0o750
#: The largest file that is read whole, in bytes: a plan or a journal may have some hundred megabytes; and a small one's limit.
LARGEST, SMALL = 4 << 30, 64 << 20
#: openat2(2): its number is the same on all architectures; nothing outside the folder, no link, no link of /proc.
OPENAT2, BENEATH, NO_SYMLINKS, NO_MAGICLINKS = 437, 0x08, 0x04, 0x02
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
#: How the kernel says that a path leads through a link or out of the folder, or is not what it should be.
ASTRAY = frozenset({errno.ELOOP, errno.EXDEV, errno.ENOTDIR, errno.EISDIR})
#: A folder that is shared by a group: the group may write in it, and what is made in it belongs to the group.
SHARED = stat.S_ISGID | stat.S_IWGRP


class Place(NamedTuple):
    """A path, split into a folder that may be reached by links, and the names below it."""

    root: Path
    names: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.root.joinpath(*self.names)

    @property
    def parent(self) -> "Place":
        """The folder that it is in."""
        return Place(self.root, self.names[:-1])


class _How(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def place(path: Path) -> Place:
    """Split a path. Raises InputError if it leads up again."""
    names = path.parts
    at = max((number for number, name in enumerate(names) if name.startswith(SWEEP)), default=0)
    begin = at - 1 if at > 0 else len(names) - 1
    here = Place(Path(*names[:begin]), names[begin:])
    if ".." in here.names:
        _refuse(path)
    return here


def open_file(path: Path, flags: int, mode: int = 0o666) -> int:
    """Open a file, with its folder made if it is to be created. Raises InputError for a link, FileNotFoundError and OSError."""
    if flags & os.O_CREAT:
        make_folder(path.parent)
    return _open_file(path, place(path), flags, mode)


def _open_file(path: Path, here: Place, flags: int, mode: int = 0) -> int:
    with _root(here) as root:
        descriptor = _open(root, here, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode if flags & os.O_CREAT else 0)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (flags & (os.O_WRONLY | os.O_RDWR) and status.st_nlink > 1):
            os.close(descriptor)
            _refuse(path)
        if flags & os.O_CREAT:
            _share(root, descriptor, status)
    return descriptor


def read(path: Path, limit: int = LARGEST) -> bytes:
    """Return a file's bytes, up to a limit. A file that is not a lake's may be a link, as its user made it."""
    of_lake = _is_of_lake(here := place(path))
    descriptor = _open_file(path, here, os.O_RDONLY) if of_lake else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    bounded.require(len(data), limit, str(path))
    return data


def checked(path: Path) -> Path:
    """Return the path of a file that a program opens by its name; the same rules hold for it."""
    if _is_of_lake(here := place(path)):
        os.close(_open_file(path, here, os.O_RDONLY))
    return path


def make_folder(path: Path) -> None:
    """Make a folder and those above it; a lake's own is for its user and group alone."""
    here = place(path)
    if _is_of_lake(here):
        make_lake(here.root)
    here.root.mkdir(parents=True, exist_ok=True)
    with _root(here) as root:
        for count in range(1, len(here.names) + 1):
            _make(root, Place(here.root, here.names[:count]))


def make_lake(folder: Path) -> None:
    """Make a lake's own folder, if there is none."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(LAKE_MODE, exist_ok=True)


def unlink(path: Path, *, missing_ok: bool = False) -> None:
    """Remove a file. Raises FileNotFoundError."""
    try:
        with folder_of(path) as folder:
            os.unlink(path.name, dir_fd=folder)
    except FileNotFoundError:
        if not missing_ok:
            raise


def remove_tree(path: Path) -> None:
    """Remove a folder and what is in it, if it is there; what a link in it leads to stays."""
    with suppress(FileNotFoundError), folder_of(path) as folder:
        if stat.S_ISLNK(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            _refuse(path)
        shutil.rmtree(path.name, ignore_errors=True, dir_fd=folder)


def rename_durably(temporary: Path, path: Path, *, new: bool = False) -> bool:
    """Give a finished file of the same folder its name, durably. With `new`, only if the name is free; return whether it was."""
    with folder_of(path) as folder:
        written = os.open(temporary.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(written)
        finally:
            os.close(written)
        try:
            if new:
                os.link(temporary.name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                os.replace(temporary.name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            return False
        os.fsync(folder)
    return True


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a file (flock(2)), which is made if it is missing, while the block runs.

    Yield whether it is held; False only if another process holds it and `wait` is not set.
    """
    descriptor = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        yield _lock(descriptor, wait=wait)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def folder_of(path: Path) -> Iterator[int]:
    """Open the folder of a file. Raises InputError for a link, FileNotFoundError."""
    here = place(path)
    with _root(here) as root:
        if not here.parent.names:
            yield root
            return
        descriptor = _open(root, here.parent, FOLDER, 0)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _root(here: Place) -> Iterator[int]:
    descriptor = os.open(here.root, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_of_lake(here: Place) -> bool:
    return any(name.startswith(SWEEP) for name in here.names)


def _make(root: int, here: Place) -> None:
    """Make one folder, unless it is there."""
    try:
        os.close(_open(root, here, FOLDER, 0))
    except FileNotFoundError:
        with folder_of(here.path) as parent, suppress(FileExistsError):
            os.mkdir(here.names[-1], 0o777, dir_fd=parent)
        made = _open(root, here, FOLDER, 0)
        try:
            _share(root, made, os.fstat(made))
        finally:
            os.close(made)


def _share(root: int, descriptor: int, status: os.stat_result) -> None:
    """Let the group write to what was made in a lake that it shares, unless the umask lets it not even read."""
    shared = os.fstat(root).st_mode & SHARED == SHARED
    if shared and status.st_mode & stat.S_IRGRP and not status.st_mode & stat.S_IWGRP:
        with suppress(PermissionError):  # another user's
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode) | stat.S_IWGRP)


def _open(root: int, here: Place, flags: int, mode: int) -> int:
    """Open what is below a folder. Raises InputError if a link is in its path."""
    try:
        if _has_openat2():
            return _openat2(root, "/".join(here.names), flags, mode)
        return _walk(root, here.names, flags, mode)
    except OSError as error:
        if error.errno in ASTRAY:
            _refuse(here.path)
        error.filename = str(here.path)
        raise


def _openat2(root: int, names: str, flags: int, mode: int) -> int:
    how = _How(flags, mode, BENEATH | NO_SYMLINKS | NO_MAGICLINKS)
    size = ctypes.c_size_t(ctypes.sizeof(how))
    descriptor: int = _libc().syscall(ctypes.c_long(OPENAT2), root, os.fsencode(names), ctypes.byref(how), size)
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return descriptor


def _walk(root: int, names: tuple[str, ...], flags: int, mode: int) -> int:
    """The same without openat2(2): one folder after the other, none of them a link."""
    here = os.dup(root)
    try:
        for name in names[:-1]:
            inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(names[-1], flags | os.O_NOFOLLOW, mode, dir_fd=here)
    finally:
        os.close(here)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _has_openat2() -> bool:
    """Whether the kernel has the call (Linux 5.6), and no filter of a container takes it away."""
    root = os.open("/", FOLDER)
    try:
        os.close(_openat2(root, ".", FOLDER, 0))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


def _refuse(path: Path) -> NoReturn:
    raise InputError(
        str(path),
        "is a link, leads through one, or is not an ordinary file; a lake has files and folders of its own alone",
    )
