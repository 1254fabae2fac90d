"""Receipts are written once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import CensusError
from pipeline.lake import receipts, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.record.receipt import Counts, Part, Receipt
from pipeline.space.shard import Range

KEY = "000-000001"


@pytest.fixture
def paths(lake: Location) -> SweepPaths:
    return SweepPaths(lake, "trial")


def test_receipt_is_given_once(paths: SweepPaths) -> None:
    """A range has one receipt: a second one is refused and changes nothing."""
    assert receipts.finished(paths) == set()
    assert receipts.put_receipt(paths, KEY, Receipt(answers=1))
    assert not receipts.put_receipt(paths, KEY, Receipt(answers=2))
    assert [receipt.answers for receipt in receipts.read_receipts(paths)] == [1]
    assert receipts.finished(paths) == {KEY}


def test_receipts_in_order(paths: SweepPaths) -> None:
    """Receipts are read in the order of shard and range, in whatever order they were written."""
    for number in (2, 0, 1):
        receipts.put_receipt(paths, f"000-{number:06d}", Receipt(range=number))
    assert [receipt.range for receipt in receipts.read_receipts(paths)] == [0, 1, 2]


def test_damaged_receipt(paths: SweepPaths) -> None:
    """A damaged receipt gives an error that names its file."""
    store.write(paths.receipt(KEY), b'{"answers": ')
    with pytest.raises(
        CensusError, match=rf"{KEY}\.json: the receipt is damaged.*remove it and run again with --resume"
    ):
        receipts.read_receipts(paths)


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"[]", b'{"begun": 1}'])
def test_a_damaged_note_of_an_attempt_ends_no_sweep(paths: SweepPaths, data: bytes) -> None:
    """Of an attempt whose note a power cut has damaged nothing is known; the range gets its receipt, which says so by null."""
    store.write(paths.attempt(KEY, 1), data)
    results = receipts.Results(Counts(), {}, [])
    receipt = receipts.of_range(paths, "digest", Range(0, 1, 0, 1), 2, results)
    assert (receipt.attempts, receipt.probes_abandoned, receipt.revisited) == (2, None, None)


def test_attempts(paths: SweepPaths) -> None:
    """Attempts are numbered from one, and later attempts can read the counts of earlier ones."""
    assert receipts.begin_attempt(paths, KEY) == 1
    store.write(paths.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert receipts.begin_attempt(paths, KEY) == 2
    assert receipts.begin_attempt(paths, "000-000002") == 1
    assert receipts.earlier_attempts(paths, KEY, 1) == []
    stopped, crashed = receipts.earlier_attempts(paths, KEY, 3)
    assert (stopped.begun, stopped.probes_sent) == ("", 5)
    assert crashed.begun and crashed.probes_sent == 0


def test_a_clock_that_is_set_meanwhile(paths: SweepPaths) -> None:
    """A range that began an hour ahead, before the clock was set back, ends as long after its beginning as it took."""
    ahead = (time.time_ns() + 3600 * 10**9) // 1000
    results = receipts.Results(Counts(started_at=ahead), {}, [], 12.5)
    receipt = receipts.of_range(paths, "digest", Range(0, 1, 0, 9), 1, results)
    assert receipt.finished_at - receipt.started_at == 12_500_000


def test_attempts_at_once(paths: SweepPaths) -> None:
    """Attempts that begin at the same time have different numbers."""
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: receipts.begin_attempt(paths, KEY), range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_parts_of_receipts(paths: SweepPaths) -> None:
    """The parts of a table are the parts named by receipts, without parts left behind by an attempt without a receipt."""
    store.write(paths.part("responses", "000-000000.1.parquet"), b"left behind")
    receipts.put_receipt(paths, KEY, Receipt(parts=(Part("responses", f"{KEY}.2.parquet", 1, ""),)))
    assert receipts.parts(paths, "responses") == [paths.part("responses", f"{KEY}.2.parquet")]
    assert receipts.parts(paths, "banners") == []
