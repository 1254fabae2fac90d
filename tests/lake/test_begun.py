"""What an attempt has begun is known after a crash, as far as it can be."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.lake import receipts, store
from pipeline.lake.begun import Begun, again
from pipeline.lake.store import Place, Sweep
from pipeline.space.shard import Range

RANGE = Range(shard=1, number=2, first_index=0, last_index=99)
KEY = RANGE.key


@pytest.fixture
def place(lake: Place) -> Sweep:
    """A sweep in a folder, and one in a bucket."""
    return Sweep(lake, "begun")


def attempt(place: Sweep, addresses: list[int], name: str = "engine-0") -> int:
    """An attempt that begins conversations with these addresses, and is never heard of again."""
    number = receipts.begin_attempt(place, KEY)
    begun = Begun(place, name)
    begun.open(RANGE.shard, RANGE.number, number)
    for address in addresses:
        begun.note(RANGE.shard, RANGE.number, np.array([address], dtype=np.uint32), np.array([104], dtype=np.uint16))
    return number


def revisited(place: Sweep, number: int) -> Any:
    """What the receipt of the attempt says."""
    return receipts.of_range(place, "digest", RANGE, number, counts={}, outcomes={}, parts=[])["revisited"]


def test_what_was_begun_twice_is_counted(tmp_path: Path) -> None:
    """Of three attempts, by several processes, each conversation but the first with a target counts; other ranges do not."""
    place = Sweep(tmp_path, "begun")
    attempt(place, [1, 2, 3])
    attempt(place, [3, 4], name="associator-0")
    number = attempt(place, [3, 5, 4])
    other = Begun(place, "engine-0")
    other.open(RANGE.shard, RANGE.number + 1, 1)
    other.note(RANGE.shard, RANGE.number + 1, np.array([1], dtype=np.uint32), np.array([104], dtype=np.uint16))
    assert again(place, KEY) == 3
    assert revisited(place, number) == 3


def test_a_target_is_an_address_and_a_port(tmp_path: Path) -> None:
    """Two ports of an address are two targets."""
    place = Sweep(tmp_path, "begun")
    begun = Begun(place, "engine-0")
    begun.open(RANGE.shard, RANGE.number, 1)
    begun.note(RANGE.shard, RANGE.number, np.array([7, 7], dtype=np.uint32), np.array([104, 11112], dtype=np.uint16))
    begun.close(RANGE.shard, RANGE.number)
    assert again(place, KEY) == 0


def test_a_note_that_is_cut_off_is_no_target(tmp_path: Path) -> None:
    """Bytes after the last whole target are left out."""
    place = Sweep(tmp_path, "begun")
    attempt(place, [1])
    attempt(place, [1])
    (path,) = (place.work / "journal").glob(f"{KEY}.2.begun.*")
    path.write_bytes(path.read_bytes() + b"\x01\x00")
    assert again(place, KEY) == 1


def test_without_a_crash_nothing_is_visited_again(place: Sweep) -> None:
    """The first attempt, and one after others that ended in order, revisit nobody, wherever the lake is."""
    assert revisited(place, attempt(place, [1])) == 0
    store.write(place.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert revisited(place, attempt(place, [2])) == 0


def test_what_cannot_be_known_is_null(tmp_path: Path, place: Sweep) -> None:
    """After a crash in a bucket, in another boot, or with associators elsewhere, nobody says that he knows."""
    if not isinstance(place.lake, Path):
        attempt(place, [1])
        assert revisited(place, attempt(place, [1])) is None
        return
    attempt(place, [1])
    note = msgspec.json.decode(place.attempt(KEY, 1).read_bytes())
    store.write(place.attempt(KEY, 1), msgspec.json.encode(note | {receipts.NOTED: "another boot"}))
    assert revisited(place, attempt(place, [1])) is None
    other = Sweep(tmp_path / "other", "begun")
    assert receipts.begin_attempt(other, KEY, noted=False) == 1
    assert revisited(other, attempt(other, [1])) is None
