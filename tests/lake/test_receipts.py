"""Receipts are given once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import CensusError
from pipeline.lake import receipts, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.record.receipt import Part, Receipt

KEY = "000-000001"


@pytest.fixture
def place(lake: Location) -> SweepPaths:
    return SweepPaths(lake, "trial")


def test_receipt_is_given_once(place: SweepPaths) -> None:
    """A range has one receipt: a second one is refused and changes nothing."""
    assert receipts.finished(place) == set()
    assert receipts.put_receipt(place, KEY, Receipt(answers=1))
    assert not receipts.put_receipt(place, KEY, Receipt(answers=2))
    assert [receipt.answers for receipt in receipts.read_receipts(place)] == [1]
    assert receipts.finished(place) == {KEY}


def test_receipts_in_order(place: SweepPaths) -> None:
    """Receipts are read by shard and range, in whatever order they were given."""
    for number in (2, 0, 1):
        receipts.put_receipt(place, f"000-{number:06d}", Receipt(range=number))
    assert [receipt.range for receipt in receipts.read_receipts(place)] == [0, 1, 2]


def test_damaged_receipt(place: SweepPaths) -> None:
    """A receipt that cannot be read is an error that names its file."""
    store.write(place.receipt(KEY), b'{"answers": ')
    with pytest.raises(CensusError, match=rf"{KEY}\.json: the receipt is damaged"):
        receipts.read_receipts(place)


def test_attempts(place: SweepPaths) -> None:
    """Attempts are numbered from one, and what each counted is there for the later ones."""
    assert receipts.begin_attempt(place, KEY) == 1
    store.write(place.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert receipts.begin_attempt(place, KEY) == 2
    assert receipts.begin_attempt(place, "000-000002") == 1
    assert receipts.earlier_attempts(place, KEY, 1) == []
    stopped, crashed = receipts.earlier_attempts(place, KEY, 3)
    assert (stopped.begun, stopped.probes_sent) == ("", 5)
    assert crashed.begun and crashed.probes_sent == 0


def test_attempts_at_once(place: SweepPaths) -> None:
    """Attempts that begin at once have numbers of their own."""
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda _: receipts.begin_attempt(place, KEY), range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_parts_of_receipts(place: SweepPaths) -> None:
    """The parts of a table are those that receipts name: what an attempt left behind that gave none is not among them."""
    store.write(place.part("responses", "000-000000.1.parquet"), b"left behind")
    receipts.put_receipt(place, KEY, Receipt(parts=(Part("responses", f"{KEY}.2.parquet", 1, ""),)))
    assert receipts.parts(place, "responses") == [place.part("responses", f"{KEY}.2.parquet")]
    assert receipts.parts(place, "banners") == []
