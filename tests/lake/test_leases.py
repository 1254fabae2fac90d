"""One worker holds and renews a lease; another worker takes it over when the first is gone, whatever their clocks show."""

import multiprocessing
from dataclasses import dataclass

import msgspec
import pytest

from pipeline import host
from pipeline.errors import CensusError
from pipeline.lake import leases, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.leases import Leases
from pipeline.lake.store import Location

KEY = "000-000001"
TTL = 100.0


@dataclass
class Clock:
    """A machine's clock, independent of the clocks of other machines."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def paths(lake: Location) -> SweepPaths:
    return SweepPaths(lake, "trial")


def machine(paths: SweepPaths, at: float) -> tuple[Leases, Clock]:
    clock = Clock(at)
    return Leases(paths, TTL, clock), clock


def test_one_holder(paths: SweepPaths) -> None:
    """A held lease is not given to another worker until it is dropped; leases of other ranges are free."""
    first, second = Leases(paths), Leases(paths)
    assert first.take(KEY)
    assert not second.take(KEY)
    assert second.take("000-000002")
    first.drop(KEY)
    assert second.take(KEY) and not first.take(KEY)


def test_taken_over(paths: SweepPaths) -> None:
    """A lease that is not renewed is taken over after its time to live on the taker's clock, and not before."""
    (holder, _), (taker, clock) = machine(paths, 5e6), machine(paths, 3.0)
    assert holder.take(KEY)
    assert not taker.take(KEY)
    clock.at += TTL - 1
    assert not taker.take(KEY)
    clock.at += 1
    assert taker.take(KEY)
    holder.renew()
    with pytest.raises(CensusError, match=f"{KEY} was taken over by another worker; this worker stops"):
        holder.check()
    holder.drop(KEY)
    assert not machine(paths, 0.0)[0].take(KEY)


def test_renewed(paths: SweepPaths) -> None:
    """A renewed lease is not taken over, however far the taker's clock jumps between two renewals."""
    (holder, _), (taker, clock) = machine(paths, 7.0), machine(paths, 9e9)
    assert holder.take(KEY)
    for jump in (1.0, TTL - 1, 50 * TTL, 9e6):
        assert not taker.take(KEY)
        holder.renew()
        clock.at += jump
        assert not taker.take(KEY)
    holder.check()


def test_holder_stops_at_half(paths: SweepPaths) -> None:
    """A holder that could not renew its lease for half the time to live stops, even after sleep, since its clock went on."""
    holder, clock = machine(paths, 0.0)
    assert holder.take(KEY)
    clock.at = TTL / 2
    holder.check()
    clock.at += 1
    with pytest.raises(CensusError, match="could not be renewed for 50 s; this worker stops, run again with --resume"):
        holder.check()
    holder.renew()
    holder.check()


def _take(paths: SweepPaths, key: str) -> None:
    assert Leases(paths).take(key)


def test_dead_process(lake: Location) -> None:
    """The lease of a process of this machine that ended without dropping it is taken over at once, and then held."""
    paths = SweepPaths(lake, "trial")
    gone = multiprocessing.get_context("spawn").Process(target=_take, args=(paths, KEY))
    gone.start()
    gone.join()
    assert gone.exitcode == 0
    assert Leases(paths).take(KEY)
    assert not Leases(paths).take(KEY)


def test_pid_of_another_process(paths: SweepPaths) -> None:
    """Another process with the holder's PID does not keep the lease; the PID of a process on another machine proves nothing."""
    holder = Leases(paths)
    assert holder.take(KEY)
    said = msgspec.json.decode(paths.lease(KEY).read_bytes(), type=leases.LeaseHolder)
    boot, namespace, start = said.process.split("/")
    elsewhere = msgspec.structs.replace(said, process=f"other/{namespace}/{start}", pid=2**22 + 1)
    store.write(paths.lease(KEY), msgspec.json.encode(elsewhere))
    assert not Leases(paths).take(KEY)
    store.write(paths.lease(KEY), msgspec.json.encode(msgspec.structs.replace(said, process=f"{boot}/{namespace}/1")))
    assert Leases(paths).take(KEY)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"host": 1}', b"\xff"])
def test_damaged_lease(paths: SweepPaths, data: bytes) -> None:
    """A lease that cannot be read blocks other workers no longer than any other lease."""
    store.write(paths.lease(KEY), data)
    taker, clock = machine(paths, 0.0)
    assert not taker.take(KEY)
    clock.at = TTL
    assert taker.take(KEY)


def test_clock_counts_suspend() -> None:
    """The clock of leases is the kernel's clock that goes on while the machine sleeps."""
    import time

    assert abs(host.clock() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1
