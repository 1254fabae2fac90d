"""What an attempt has begun is known after a crash, as far as it can be."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline import host
from pipeline.lake import receipts, store, visit_log
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.lake.visit_log import VisitLog, repeated
from pipeline.record.receipt import Counts
from pipeline.space.shard import Range
from tests.lake import bucket

RANGE = Range(shard=1, number=2, first_index=0, last_index=99)
KEY = RANGE.key


@pytest.fixture
def place(lake: Location) -> SweepPaths:
    """A sweep in a folder, and one in a bucket."""
    return SweepPaths(lake, "begun")


def attempt(place: SweepPaths, addresses: list[int], name: str = "engine-0") -> int:
    """An attempt that begins conversations with these addresses, and is never heard of again."""
    number = receipts.begin_attempt(place, KEY)
    notes = VisitLog(place, name)
    notes.open(RANGE.shard, RANGE.number, number)
    for address in addresses:
        notes.note(RANGE.shard, RANGE.number, np.array([address], dtype=np.uint32), np.array([104], dtype=np.uint16))
    return number


def revisited(place: SweepPaths, number: int) -> Any:
    """What the receipt of the attempt says."""
    return receipts.of_range(place, "digest", RANGE, number, receipts.Results(Counts(), {}, [])).revisited


def test_what_was_begun_twice_is_counted(tmp_path: Path) -> None:
    """Of three attempts, by several processes, each conversation but the first with a target counts; other ranges do not."""
    place = SweepPaths(tmp_path, "begun")
    attempt(place, [1, 2, 3])
    attempt(place, [3, 4], name="associator-0")
    number = attempt(place, [3, 5, 4])
    other = VisitLog(place, "engine-0")
    other.open(RANGE.shard, RANGE.number + 1, 1)
    other.note(RANGE.shard, RANGE.number + 1, np.array([1], dtype=np.uint32), np.array([104], dtype=np.uint16))
    assert repeated(place, KEY) == 3
    assert revisited(place, number) == 3


def test_a_target_is_an_address_and_a_port(tmp_path: Path) -> None:
    """Two ports of an address are two targets."""
    place = SweepPaths(tmp_path, "begun")
    notes = VisitLog(place, "engine-0")
    notes.open(RANGE.shard, RANGE.number, 1)
    notes.note(RANGE.shard, RANGE.number, np.array([7, 7], dtype=np.uint32), np.array([104, 11112], dtype=np.uint16))
    notes.close(RANGE.shard, RANGE.number)
    assert repeated(place, KEY) == 0


def test_a_note_that_is_cut_off_is_no_target(tmp_path: Path) -> None:
    """Bytes after the last whole target are left out."""
    place = SweepPaths(tmp_path, "begun")
    attempt(place, [1])
    attempt(place, [1])
    (path,) = (place.work / "journal").glob(f"{KEY}.2.begun.*")
    path.write_bytes(path.read_bytes() + b"\x01\x00")
    assert repeated(place, KEY) == 1


def test_without_a_crash_nothing_is_visited_again(place: SweepPaths) -> None:
    """The first attempt, and one after others that ended in order, revisit nobody, wherever the lake is."""
    assert revisited(place, attempt(place, [1])) == 0
    store.write(place.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert revisited(place, attempt(place, [2])) == 0


def test_what_was_begun_twice_is_counted_wherever_the_lake_is(place: SweepPaths) -> None:
    """After a crash the receipt tells how many were begun again, in a bucket too; at the seal of that the notes are gone."""
    attempt(place, [1, 2])
    assert revisited(place, attempt(place, [2, 3])) == 1
    notes = visit_log._folder(place)
    assert any(notes.iterdir())
    visit_log.forget(place)
    assert notes.exists() == isinstance(place.lake, Path)


def test_notes_of_earlier_boots_go(environment: str, endpoint: str, tmp_path: Path) -> None:
    """Whoever takes the first notes of a boot about a lake in a bucket removes those of the boots before, and nothing else."""
    earlier, other = tmp_path / "state/dicom-census/begun/earlier", tmp_path / "state/dicom-census/kept"
    for folder in (earlier, other):
        folder.mkdir(parents=True)
        (folder / "note").touch()
    place = SweepPaths(store.at(bucket.make(endpoint) + "/lake"), "begun")
    attempt(place, [1])
    assert (earlier.exists(), other.exists()) == (False, True)
    assert revisited(place, attempt(place, [1])) == 1


@pytest.mark.parametrize("told", ["another boot", "", f"{host.boot_id()} another folder"])
def test_what_cannot_be_known_is_null(place: SweepPaths, told: str) -> None:
    """After a crash in another boot, on another machine, or with associators elsewhere, nobody says that he knows."""
    attempt(place, [1])
    note = msgspec.json.decode(place.attempt(KEY, 1).read_bytes())
    store.write(place.attempt(KEY, 1), msgspec.json.encode(note | {"noted": told}))
    assert revisited(place, attempt(place, [1])) is None


def test_who_does_not_note_is_not_known(place: SweepPaths) -> None:
    """Of an attempt that says that it does not note all, nobody knows."""
    assert receipts.begin_attempt(place, KEY, logged=False) == 1
    assert revisited(place, attempt(place, [1])) is None
