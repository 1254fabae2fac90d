"""One worker has a lease and renews it; another takes it over when the first is gone, whatever their clocks show."""

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
    """A machine's clock: each has its own, and they have nothing to do with each other."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def place(lake: Location) -> SweepPaths:
    return SweepPaths(lake, "trial")


def machine(place: SweepPaths, at: float) -> tuple[Leases, Clock]:
    clock = Clock(at)
    return Leases(place, TTL, clock), clock


def test_one_holder(place: SweepPaths) -> None:
    """A lease that is held is not given again until it is dropped; leases of other ranges are free."""
    first, second = Leases(place), Leases(place)
    assert first.take(KEY)
    assert not second.take(KEY)
    assert second.take("000-000002")
    first.drop(KEY)
    assert second.take(KEY) and not first.take(KEY)


def test_taken_over(place: SweepPaths) -> None:
    """A lease that its holder does not renew is taken over after its time to live on the taker's clock, and not before."""
    (holder, _), (taker, clock) = machine(place, 5e6), machine(place, 3.0)
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
    assert not machine(place, 0.0)[0].take(KEY)


def test_renewed(place: SweepPaths) -> None:
    """A lease that is renewed is not taken over, however far the taker's clock jumps between two renewals."""
    (holder, _), (taker, clock) = machine(place, 7.0), machine(place, 9e9)
    assert holder.take(KEY)
    for jump in (1.0, TTL - 1, 50 * TTL, 9e6):
        assert not taker.take(KEY)
        holder.renew()
        clock.at += jump
        assert not taker.take(KEY)
    holder.check()


def test_holder_stops_at_half(place: SweepPaths) -> None:
    """A holder that could not renew for half the time to live stops: also if it slept, for its clock went on."""
    holder, clock = machine(place, 0.0)
    assert holder.take(KEY)
    clock.at = TTL / 2
    holder.check()
    clock.at += 1
    with pytest.raises(CensusError, match="could not be renewed for 50 s; this worker stops, run again with --resume"):
        holder.check()
    holder.renew()
    holder.check()


def _take(place: SweepPaths, key: str) -> None:
    assert Leases(place).take(key)


def test_dead_process(lake: Location) -> None:
    """The lease of a process of this machine that ended without giving it back is taken over at once, and then held."""
    place = SweepPaths(lake, "trial")
    gone = multiprocessing.get_context("spawn").Process(target=_take, args=(place, KEY))
    gone.start()
    gone.join()
    assert gone.exitcode == 0
    assert Leases(place).take(KEY)
    assert not Leases(place).take(KEY)


def test_pid_of_another_process(place: SweepPaths) -> None:
    """A process that has the holder's number but is another one does not keep its lease; another machine's number says nothing."""
    holder = Leases(place)
    assert holder.take(KEY)
    said = msgspec.json.decode(place.lease(KEY).read_bytes(), type=leases.LeaseHolder)
    boot, namespace, start = said.process.split("/")
    elsewhere = msgspec.structs.replace(said, process=f"other/{namespace}/{start}", pid=2**22 + 1)
    store.write(place.lease(KEY), msgspec.json.encode(elsewhere))
    assert not Leases(place).take(KEY)
    store.write(place.lease(KEY), msgspec.json.encode(msgspec.structs.replace(said, process=f"{boot}/{namespace}/1")))
    assert Leases(place).take(KEY)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"host": 1}', b"\xff"])
def test_damaged_lease(place: SweepPaths, data: bytes) -> None:
    """A lease that cannot be read holds nobody up for longer than any other."""
    store.write(place.lease(KEY), data)
    taker, clock = machine(place, 0.0)
    assert not taker.take(KEY)
    clock.at = TTL
    assert taker.take(KEY)


def test_clock_counts_suspend() -> None:
    """The clock of leases is the kernel's that goes on while the machine sleeps."""
    import time

    assert abs(host.clock() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1
