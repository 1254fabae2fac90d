"""Who runs a range, or has a shard: leases in the lake, kept by writing them again, taken over when they were not.

No two machines' clocks are compared. Whoever holds a lease changes it again and again. Whoever wants it watches it, and takes
it once it has not changed for its whole time to live on the watcher's own clock: by a put on the condition that it is still the
one that was watched. The holder stops at half that time since it last could change it, on its own clock. Both clocks count
from the boot and go on while a machine is suspended, so that a wall clock that jumps, or a laptop that sleeps, changes nothing.
The lease of a process of this machine that is gone is free at once.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths

#: A lease that did not change for this long may be taken over, in seconds.
TTL = 120.0


class Holder(msgspec.Struct, frozen=True):
    """What a lease says: which process of which machine holds it, if any, and the how manyeth time it says so."""

    worker: str
    host: str
    process: str
    pid: int
    renewal: int = 0
    free: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A lease as it stands in the lake: of what, whose, and how many seconds ago it last changed by the lake's own clock."""

    key: str
    holder: Holder
    age: float

    @property
    def alive(self) -> bool:
        """Whether its holder renews it. It is told by wall clocks, for people to watch: who may take a lease is not told by it."""
        return self.age < TTL / 2 and not _is_gone(self.holder)


def shard_key(number: int) -> str:
    """The name of the lease of a whole shard; those of its ranges begin with it."""
    return f"{number:03d}"


def standing(paths: SweepPaths, done: Container[str]) -> Iterator[Standing]:
    """Yield the leases that are held, or were until their holder died, but for those of ranges that are done."""
    for path in store.entries(paths.work / "leases", "*.json"):
        found = None if path.stem in done else store.read(path)
        changed = store.changed_at(path) if found else None
        holder = _holder(found[0]) if found else None
        if changed and holder and not holder.free:
            yield Standing(path.stem, holder, (datetime.now(UTC) - changed).total_seconds())


@dataclass(slots=True)
class Seen:
    """A version of a lease, and the time at which we knew of it."""

    version: str
    at: float


@dataclass(slots=True)
class Leases:
    """The leases of one worker. Threads may share it."""

    paths: SweepPaths
    ttl: float = TTL
    now: Callable[[], float] = host.clock
    worker: str = field(default_factory=lambda: secrets.token_hex(8))
    _held: dict[str, Seen] = field(default_factory=dict)
    _watched: dict[str, Seen] = field(default_factory=dict)
    _lost: str = ""
    _renewals: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def take(self, key: str) -> bool:
        """Take the lease of a range; False if somebody holds it, or may."""
        with self._lock:
            at = self.now()
            found = store.read(self.paths.lease(key))
            if found and not self._is_void(key, *found, at):
                return False
            version = store.swap(self.paths.lease(key), self._word(), after=found[1] if found else None)
            if version is not None:
                self._held[key] = Seen(version, at)
                self._watched.pop(key, None)
            return version is not None

    def renew(self) -> None:
        """Say of all ranges held that they still are. Raises CensusError or OSError if the lake does not answer."""
        for key in list(self._held):
            with self._lock:
                if key in self._held:
                    self._renew(key)

    def drop(self, key: str) -> None:
        """Give a lease back, if it is still ours."""
        with self._lock:
            held = self._held.pop(key, None)
            if held:
                store.swap(self.paths.lease(key), self._word(free=True), after=held.version)

    def check(self) -> None:
        """Raise CensusError if a range is not ours any more, or might soon not be."""
        if self._lost:
            raise CensusError(f"the lease of range {self._lost} was taken over by another worker; this worker stops")
        late = [key for key, held in list(self._held.items()) if self.now() - held.at > self.ttl / 2]
        if late:
            raise CensusError(
                f"the lease of range {late[0]} could not be renewed for {self.ttl / 2:.0f} s; this worker stops, "
                "run again with --resume"
            )

    def _renew(self, key: str) -> None:
        at = self.now()
        version = store.swap(self.paths.lease(key), self._word(), after=self._held[key].version)
        if version is None:
            del self._held[key]
            self._lost = key
        else:
            self._held[key] = Seen(version, at)

    def _is_void(self, key: str, data: bytes, version: str, at: float) -> bool:
        """Whether a lease may be taken; one that is not is watched from now on."""
        holder = _holder(data)
        if holder and (holder.free or _is_gone(holder)):
            return True
        watched = self._watched.get(key)
        if watched is None or watched.version != version:
            self._watched[key] = Seen(version, self.now())
            return False
        return at - watched.at >= self.ttl

    def _word(self, *, free: bool = False) -> bytes:
        self._renewals += 1
        pid = os.getpid()
        return msgspec.json.encode(
            Holder(self.worker, socket.gethostname(), _process(pid), pid, self._renewals, free=free)
        )


def _holder(data: bytes) -> Holder | None:
    """What a lease says; None if it is damaged."""
    try:
        return msgspec.json.decode(data, type=Holder)
    except msgspec.DecodeError:
        return None


def _is_gone(holder: Holder) -> bool:
    """Whether the holder was a process that this one could see, and is no more."""
    mine = _process(os.getpid()).rpartition("/")[0]
    return holder.process.rpartition("/")[0] == mine and _process(holder.pid) != holder.process


def _process(pid: int) -> str:
    """`BOOT/NAMESPACE/START` of a process: no other one since the beginning of time has the same with the same pid."""
    started = host.started_at(pid)
    return f"{host.boot_id()}/{os.readlink('/proc/self/ns/pid')}/{'gone' if started is None else started}"
