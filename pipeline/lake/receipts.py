"""Receipts and leases: which ranges are done, and who runs one now."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from pipeline.errors import CensusError
from pipeline.lake import store
from pipeline.lake.store import Sweep

#: A lease that was not renewed for this long may be taken over, in seconds.
LEASE_SECONDS = 120

Receipt = dict[str, Any]


def read_receipts(place: Sweep) -> list[Receipt]:
    """All receipts of a sweep, by shard and range; keys are the columns of `schemas/receipts.toml`."""
    return [read_receipt(place, path.stem) for path in sorted(place.receipts.glob("*.json"))]


def read_receipt(place: Sweep, key: str) -> Receipt:
    """One receipt. Raises CensusError if the file is damaged."""
    path = place.receipt(key)
    try:
        receipt: Receipt = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise CensusError(f"{path}: the receipt is damaged: {error}") from None
    return receipt


def put_receipt(place: Sweep, key: str, receipt: Receipt) -> bool:
    """Write a receipt if the range has none: the proof is given once."""
    return store.write(place.receipt(key), msgspec.json.encode(receipt, order="sorted"), new=True)


def finished(place: Sweep) -> set[str]:
    """Keys of the ranges that have a receipt."""
    return {path.stem for path in place.receipts.glob("*.json")}


def begin_attempt(place: Sweep, key: str) -> int:
    """Note that a range is begun; the number of the attempt, from 1."""
    number = len(list((place.work / "journal").glob(f"{key}.*.json"))) + 1
    store.write(place.attempt(key, number), b"{}", new=True)
    return number


def earlier_attempts(place: Sweep, key: str, attempt: int) -> list[dict[str, Any]]:
    """What the attempts before this one counted; an empty entry for one that crashed."""
    paths = [place.attempt(key, number) for number in range(1, attempt)]
    return [msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) for path in paths]


def take_lease(place: Sweep, key: str) -> bool:
    """Take the lease of a range; False if a living worker holds it."""
    path = place.lease(key)
    with _one_at_a_time(place):
        if path.exists() and not _lapsed(path.read_bytes()):
            return False
        path.unlink(missing_ok=True)
        return store.write(path, _holder(), new=True)


def renew_lease(place: Sweep, key: str) -> bool:
    """Say that we still run the range; False if another worker has taken it over."""
    path = place.lease(key)
    with _one_at_a_time(place):
        if path.exists() and not _ours(path.read_bytes()):
            return False
        return store.write(path, _holder())


def drop_lease(place: Sweep, key: str) -> None:
    """Give the lease back."""
    place.lease(key).unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(place: Sweep) -> Iterator[None]:
    """Hold the lock under which this machine's workers look at leases and change them."""
    path = place.work / "leases.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ours(data: bytes) -> bool:
    try:
        holder = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return holder.get("host") == socket.gethostname() and holder.get("pid") == os.getpid()


def _holder() -> bytes:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "until": time.time() + LEASE_SECONDS}
    return msgspec.json.encode(holder)


def _lapsed(data: bytes) -> bool:
    """A lease is void when its time is over, or its holder was a process of this machine that is gone."""
    try:
        holder = msgspec.json.decode(data, type=dict[str, Any])
        if holder["host"] == socket.gethostname() and not _alive(int(holder["pid"])):
            return True
        return bool(holder["until"] < time.time())
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
