"""Leases of ranges and shards in the lake: renewed by rewriting them, and taken over when nobody renews them.

No two machines' clocks are compared. The holder of a lease rewrites it again and again. A worker that wants the lease watches it.
It may take the lease once the lease has not changed for its whole time to live, on the watcher's own clock. It takes it by a
conditional put, which fails if the lease has changed since. The holder stops itself earlier: when it could not renew the lease
for half the time to live, on its own clock.

Both clocks count from the boot and run on while a machine is suspended. So neither a wall clock that jumps nor a laptop that
sleeps changes anything. If the holder was a process of this machine and has ended, the lease is free at once.
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
from pipeline.untrusted import bounded

#: A lease that did not change for this long may be taken over, in seconds.
TTL = 120.0


class LeaseHolder(msgspec.Struct, frozen=True):
    """The contents of a lease: the process that holds it, its machine, how often it was renewed, and whether it is free."""

    worker: str
    host: str
    process: str
    pid: int
    renewal: int = 0
    free: bool = False


@dataclass(frozen=True, slots=True)
class ObservedLease:
    """A lease in the lake: its key, its holder, and how many seconds ago it changed, by the lake's own clock."""

    key: str
    holder: LeaseHolder
    age: float

    @property
    def alive(self) -> bool:
        """Return whether its holder renews it. This compares wall clocks, for display only: no lease is taken because of it."""
        return self.age < TTL / 2 and not is_gone(self.holder)


def shard_key(number: int) -> str:
    """Return the name of the lease of a whole shard; the names of its ranges' leases begin with it."""
    return f"{number:03d}"


def observed_leases(paths: SweepPaths, done: Container[str]) -> Iterator[ObservedLease]:
    """Yield the leases that have a holder, alive or dead, except those of ranges that are done."""
    for path in store.entries(paths.work / "leases", "*.json"):
        entry = None if path.stem in done else store.read(path)
        changed = store.changed_at(path) if entry else None
        holder = _holder(entry[0]) if entry else None
        if changed and holder and not holder.free:
            yield ObservedLease(path.stem, holder, (datetime.now(UTC) - changed).total_seconds())


@dataclass(slots=True)
class LeaseVersion:
    """A version of a lease, and when this worker wrote or first saw it, by its own clock."""

    version: str
    at: float


@dataclass(slots=True)
class Leases:
    """The leases of one worker. Threads may share the object."""

    paths: SweepPaths
    ttl: float = TTL
    now: Callable[[], float] = host.clock
    worker: str = field(default_factory=lambda: secrets.token_hex(8))
    _leased: dict[str, LeaseVersion] = field(default_factory=dict)
    _watched: dict[str, LeaseVersion] = field(default_factory=dict)
    _lost: str = ""
    _renewals: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def holder(self) -> LeaseHolder:
        """Return this worker and its process, as its leases name them."""
        pid = os.getpid()
        return LeaseHolder(self.worker, socket.gethostname(), _process(pid), pid)

    def take(self, key: str) -> bool:
        """Take a lease, and return whether it was taken; False if another worker has it, or may have it."""
        with self._lock:
            at = self.now()
            entry = store.read(self.paths.lease(key))
            if entry and not self._is_void(key, *entry, at):
                return False
            version = store.swap(self.paths.lease(key), self._entry(), after=entry[1] if entry else None)
            if version is not None:
                self._leased[key] = LeaseVersion(version, at)
                self._watched.pop(key, None)
            return version is not None

    def renew(self) -> None:
        """Renew all leases. Raises CensusError or OSError if the lake does not answer."""
        for key in list(self._leased):
            with self._lock:
                if key in self._leased:
                    self._renew(key)

    def drop(self, key: str) -> None:
        """Give a lease back if this worker still has it."""
        with self._lock:
            lease = self._leased.pop(key, None)
            if lease:
                store.swap(self.paths.lease(key), self._entry(free=True), after=lease.version)

    def check(self) -> None:
        """Raise CensusError if a lease was lost, or could be lost soon because it was not renewed."""
        if self._lost:
            raise CensusError(f"the lease of range {self._lost} was taken over by another worker; this worker stops")
        late = [key for key, lease in list(self._leased.items()) if self.now() - lease.at > self.ttl / 2]
        if late:
            raise CensusError(
                f"the lease of range {late[0]} could not be renewed for {self.ttl / 2:.0f} s; this worker stops, "
                "run again with --resume"
            )

    def _renew(self, key: str) -> None:
        at = self.now()
        version = store.swap(self.paths.lease(key), self._entry(), after=self._leased[key].version)
        if version is None:
            del self._leased[key]
            self._lost = key
        else:
            self._leased[key] = LeaseVersion(version, at)

    def _is_void(self, key: str, data: bytes, version: str, at: float) -> bool:
        """Return whether a lease may be taken; if not, watch it from now on."""
        holder = _holder(data)
        if holder and (holder.free or is_gone(holder)):
            return True
        watched = self._watched.get(key)
        if watched is None or watched.version != version:
            self._watched[key] = LeaseVersion(version, self.now())
            return False
        return at - watched.at >= self.ttl

    def _entry(self, *, free: bool = False) -> bytes:
        self._renewals += 1
        return msgspec.json.encode(msgspec.structs.replace(self.holder(), renewal=self._renewals, free=free))


def _holder(data: bytes) -> LeaseHolder | None:
    """Decode a lease; None if it is damaged."""
    try:
        return bounded.decode(data, LeaseHolder)
    except bounded.NotJson:
        return None


def is_gone(holder: LeaseHolder) -> bool:
    """Return whether the holder was a process that this one could see, and has ended."""
    mine = _process(os.getpid()).rpartition("/")[0]
    return holder.process.rpartition("/")[0] == mine and _process(holder.pid) != holder.process


def is_of_this_machine(holder: LeaseHolder) -> bool:
    """Return whether the holder is a process of this machine since its last boot, so that both have one clock."""
    return holder.process.partition("/")[0] == host.boot_id()


def _process(pid: int) -> str:
    """Return `BOOT/NAMESPACE/START` of a process, which together with the pid identifies it for all time."""
    started = host.started_at(pid)
    return f"{host.boot_id()}/{os.readlink('/proc/self/ns/pid')}/{'gone' if started is None else started}"
