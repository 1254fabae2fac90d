"""Receipts are given once, and leases held by one."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import CensusError
from pipeline.lake import receipts, store
from pipeline.lake.store import Sweep

KEY = "000-000001"


@pytest.fixture
def place(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path, "trial")


def rewrite(place: Sweep, **changed: object) -> None:
    """Change the holder that a lease names."""
    holder = msgspec.json.decode(place.lease(KEY).read_bytes())
    store.write(place.lease(KEY), msgspec.json.encode(holder | changed))


def test_lease_is_taken_once(place: Sweep) -> None:
    """A lease that is held is not given again until it is dropped; leases of other ranges are free."""
    assert receipts.take_lease(place, KEY)
    assert not receipts.take_lease(place, KEY)
    assert receipts.take_lease(place, "000-000002")
    receipts.drop_lease(place, KEY)
    assert receipts.take_lease(place, KEY)


def test_lease_of_a_dead_process(place: Sweep) -> None:
    """The lease of a process of this machine that is gone is taken over at once, and then held."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    receipts.take_lease(place, KEY)
    rewrite(place, pid=gone.pid)
    assert receipts.take_lease(place, KEY)
    assert msgspec.json.decode(place.lease(KEY).read_bytes())["pid"] == os.getpid()
    assert not receipts.take_lease(place, KEY)


def test_lease_of_another_machine(place: Sweep) -> None:
    """Another machine's lease is respected until its time is over."""
    receipts.take_lease(place, KEY)
    rewrite(place, host="elsewhere.invalid", pid=1)
    assert not receipts.take_lease(place, KEY)
    rewrite(place, until=0)
    assert receipts.take_lease(place, KEY)


def test_renewed_lease(place: Sweep) -> None:
    """A lease whose time was nearly over is held again after it was renewed."""
    receipts.take_lease(place, KEY)
    rewrite(place, until=0)
    receipts.renew_lease(place, KEY)
    assert not receipts.take_lease(place, KEY)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"host": 1}', b"\xff"])
def test_damaged_lease(place: Sweep, data: bytes) -> None:
    """A lease that cannot be read holds nobody up."""
    store.write(place.lease(KEY), data)
    assert receipts.take_lease(place, KEY)


def test_receipt_is_given_once(place: Sweep) -> None:
    """A range has one receipt: a second one is refused and changes nothing."""
    assert receipts.finished(place) == set()
    assert receipts.put_receipt(place, KEY, {"answers": 1})
    assert not receipts.put_receipt(place, KEY, {"answers": 2})
    assert receipts.read_receipts(place) == [{"answers": 1}]
    assert receipts.finished(place) == {KEY}


def test_receipts_in_order(place: Sweep) -> None:
    """Receipts are read by shard and range, in whatever order they were given."""
    for number in (2, 0, 1):
        receipts.put_receipt(place, f"000-{number:06d}", {"range": number})
    assert [receipt["range"] for receipt in receipts.read_receipts(place)] == [0, 1, 2]


def test_damaged_receipt(place: Sweep) -> None:
    """A receipt that cannot be read is an error that names its file."""
    store.write(place.receipt(KEY), b'{"answers": ')
    with pytest.raises(CensusError, match=rf"{KEY}\.json: the receipt is damaged"):
        receipts.read_receipts(place)


def test_attempts(place: Sweep) -> None:
    """Attempts are numbered from one, and what each counted is there for the later ones."""
    assert receipts.begin_attempt(place, KEY) == 1
    store.write(place.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert receipts.begin_attempt(place, KEY) == 2
    assert receipts.begin_attempt(place, "000-000002") == 1
    assert receipts.earlier_attempts(place, KEY, 1) == []
    assert receipts.earlier_attempts(place, KEY, 3) == [{"probes_sent": 5}, {}]
