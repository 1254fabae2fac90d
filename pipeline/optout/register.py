"""Where the register is kept, a file or an object, and how lines are added to it."""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from pipeline import host
from pipeline.errors import CensusError, InputError
from pipeline.lake import inside, store
from pipeline.lake.store import Location
from pipeline.optout import anchor
from pipeline.optout.chained import History, Kind, Unfinished, chain, digest
from pipeline.optout.events import AnyEvent, RegisterState, fold, parse
from pipeline.space.ranges import Ranges

#: The register if the configuration names none: it is in the lake, so that all who share the lake share it.
DEFAULT_NAME = "optout.jsonl"
#: What a lake with a sweep has besides.
PLANS = "plans"
#: Bytes of a quarter of a million opt-outs; anything longer is not a register.
LONGEST = 64 << 20
#: Seconds for which a last line without an end may be one that is being written.
UNFINISHED_SECONDS = 1.0


class Register(Protocol):
    """Where a register is kept."""

    where: str

    def create(self) -> bool:
        """Create it empty; return False if it exists. Raises InputError if it cannot be created."""

    def read(self) -> bytes:
        """Return all of it. Raises InputError if it cannot be read."""

    def writable(self) -> bool:
        """Tell whether this process may append to it, or could create it; an object is not asked for."""

    def append(self, lines: bytes, *, after: bytes) -> bool:
        """Append lines durably if the register is still `after`; return False if somebody else has appended some."""


class RegisterFile:
    """A register in a file. A lake's own is opened as all files of a lake are (`inside`); any other may be a link of its user's.

    A private one is made for its user alone (mode 0600).
    """

    def __init__(self, path: Path, *, of_lake: bool = False, private: bool = False) -> None:
        self._path, self._of_lake, self._mode = path, of_lake, 0o600 if private else 0o666
        self.where = str(path)

    def _open(self, flags: int) -> int:
        if self._of_lake or is_of_lake(self._path):
            return inside.open_file(self._path, flags, self._mode)
        return os.open(self._path, flags | os.O_CLOEXEC, self._mode)

    def create(self) -> bool:
        """Create it empty; return False if it exists."""
        try:
            os.close(self._open(os.O_RDWR | os.O_CREAT | os.O_EXCL))
            host.sync(self._path.parent)
        except FileExistsError:
            return False
        except OSError as error:
            raise InputError(self.where, f"cannot be made: {error.strerror}") from None
        return True

    def read(self) -> bytes:
        """Return all of it."""
        try:
            if stat.S_ISCHR(self._path.stat().st_mode):
                raise InputError(self.where, "is a device, and keeps nothing that is written; name a file")
            with os.fdopen(self._open(os.O_RDONLY), "rb") as file:
                if os.fstat(file.fileno()).st_size > LONGEST:
                    raise InputError(
                        self.where, f"is longer than {LONGEST >> 20} MiB; begin a new one with what is active"
                    )
                return file.read()
        except FileNotFoundError:
            raise InputError(
                self.where,
                "the register cannot be read: there is no such file; restore it, or make it if nobody has opted out (touch)",
            ) from None
        except OSError as error:
            raise InputError(self.where, f"the register cannot be read: {error.strerror}") from None

    def writable(self) -> bool:
        """Tell whether this process may append to it, or could create it."""
        folders = (self._path, *self._path.absolute().parents)
        return os.access(next(place for place in folders if place.exists()), os.W_OK)

    def append(self, lines: bytes, *, after: bytes) -> bool:
        """Append lines in one write under a lock; a reader sees all of a line's bytes or no end of line."""
        try:
            with os.fdopen(self._open(os.O_RDWR), "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                if file.read() != after:
                    return False
                if file.write(lines) != len(lines):  # at the end, where reading has left off
                    file.truncate(len(after))
                    raise InputError(self.where, "cannot be written: the device is full")
                os.fsync(file)
        except OSError as error:
            raise InputError(self.where, f"cannot be written: {error.strerror}") from None
        return True


def is_of_lake(path: Location) -> bool:
    """Whether a file is the register that the sweeps of its folder obey if their plans name none."""
    return path.name == DEFAULT_NAME and (path.parent / PLANS).is_dir()


class RegisterObject:
    """A register that is an object in a bucket: each change is a put on the condition that nobody else changed it."""

    def __init__(self, place: Location) -> None:
        self._place = place
        self.where = str(place)

    def create(self) -> bool:
        """Create it empty; return False if it exists."""
        return store.write(self._place, b"", new=True)

    def read(self) -> bytes:
        """Return all of it."""
        return self._read()[0]

    def writable(self) -> bool:
        """Say yes: only a write could tell, and it would change the register."""
        return True

    def append(self, lines: bytes, *, after: bytes) -> bool:
        """Append lines by one put; a reader sees all of them or none."""
        data, version = self._read()
        return data == after and store.swap(self._place, after + lines, after=version) is not None

    def _read(self) -> tuple[bytes, str]:
        try:
            read = store.read(self._place)
        except InputError:
            raise
        except CensusError as error:
            raise InputError(self.where, f"the register cannot be read: {error}") from None
        if read is None:
            raise InputError(self.where, "the register cannot be read: there is no such object")
        if len(read[0]) > LONGEST:
            raise InputError(self.where, f"is longer than {LONGEST >> 20} MiB; begin a new one with what is active")
        return read


def at(location: str) -> Register:
    """Return the register at a path or an s3:// URL. Raises InputError for another kind of URL."""
    place = store.at(location)
    return RegisterFile(place) if isinstance(place, Path) else RegisterObject(place)


def resolve(name: str, base: Path) -> str:
    """Return what a plan carries for the configuration's `[optout] register`: an absolute path, or empty if it names none."""
    return name if not name or "://" in name else str((base / name).resolve())


def of(named: str, lake: Location) -> Register:
    """Return the register that a sweep into this lake obeys: the one that its plan names, or else the lake's own."""
    own = lake / DEFAULT_NAME
    return RegisterFile(own, of_lake=True) if isinstance(own, Path) and not named else at(named or str(own))


def begin(named: str, lake: Location) -> None:
    """Require a readable register; a lake without a sweep gets its own, empty. Raises InputError."""
    own = lake / DEFAULT_NAME
    if not named and not (lake / PLANS).is_dir():
        store.write(own, b"", new=True)
    elif not named and not own.exists():
        hint = "restore it, or make an empty file if nobody has opted out"
        raise InputError(str(own), f"the register is missing, though this lake has sweeps; {hint}")
    load_continued(of(named, lake))


def opted_out(named: str, lake: Location) -> Ranges | None:
    """Return what is opted out today, for a plan; None if the lake has no register yet. Raises InputError."""
    if not named and not (lake / DEFAULT_NAME).exists():
        return None
    _, history = load_continued(of(named, lake))
    return fold(history.events, today()).ranges


def load(register: Register) -> tuple[bytes, History[AnyEvent]]:
    """Read a register, waiting a second for a line that is being written. Raises InputError."""
    return _load(register, parse)


def load_continued(register: Register) -> tuple[bytes, History[AnyEvent]]:
    """Read a register that continues what this machine has seen of it. Raises InputError."""
    return read_continued(register, parse)


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()


def state(register: Register) -> RegisterState:
    """Return what is in force today. Raises InputError."""
    return fold(load(register)[1].events, today())


def record(register: Register, make: Callable[[RegisterState], Sequence[AnyEvent]]) -> Sequence[AnyEvent]:
    """Append the events that `make` gives for the current state, as `append` does."""
    return append(register, parse, lambda history: make(fold(history.events, today())))


def read_continued(register: Register, parse: Callable[[bytes, str], History[Kind]]) -> tuple[bytes, History[Kind]]:
    """Read a register of any kind of events that continues what this machine has seen of it. Raises InputError."""
    head = anchor.last(register.where)
    data, history = _load(register, parse)
    anchor.require(register.where, data, head)
    return data, history


def append(
    register: Register,
    parse: Callable[[bytes, str], History[Kind]],
    make: Callable[[History[Kind]], Sequence[Kind]],
) -> Sequence[Kind]:
    """Append the events that `make` gives for what is there, with nobody else's in between; raises what `make` raises.

    Raises InputError for a register that lacks what this machine has seen of it: to write to it would hide that.
    """
    while True:
        data, history = read_continued(register, parse)
        events = make(history)
        lines = chain(events, history.last)
        if register.append(lines, after=data):
            with suppress(InputError):  # whoever has no state folder sends nothing
                anchor.keep(register.where, data + lines, digest(data + lines))
            return events


def _load(register: Register, parse: Callable[[bytes, str], History[Kind]]) -> tuple[bytes, History[Kind]]:
    """Read a register, waiting a second for a line that is being written. Raises InputError."""
    until = time.monotonic() + UNFINISHED_SECONDS
    while True:
        data = register.read()
        try:
            return data, parse(data, register.where)
        except Unfinished:
            if time.monotonic() > until:
                raise
        time.sleep(0.05)
