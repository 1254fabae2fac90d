"""After a crash, the visits that an attempt began are known as far as possible."""

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
def paths(lake: Location) -> SweepPaths:
    """A sweep in a folder or in a bucket."""
    return SweepPaths(lake, "begun")


def attempt(paths: SweepPaths, addresses: list[int], name: str = "engine-0") -> int:
    """An attempt that begins conversations with these addresses and never reports its end."""
    number = receipts.begin_attempt(paths, KEY)
    notes = VisitLog(paths, name)
    notes.open(RANGE.shard, RANGE.number, number)
    for address in addresses:
        notes.note(RANGE.shard, RANGE.number, np.array([address], dtype=np.uint32), np.array([104], dtype=np.uint16))
    return number


def revisited(paths: SweepPaths, number: int) -> Any:
    """The number of repeated visits in the receipt of the attempt."""
    return receipts.of_range(paths, "digest", RANGE, number, receipts.Results(Counts(), {}, [])).revisited


def test_what_was_begun_twice_is_counted(tmp_path: Path) -> None:
    """Of three attempts by several processes, each conversation after the first with a target counts; other ranges do not."""
    paths = SweepPaths(tmp_path, "begun")
    attempt(paths, [1, 2, 3])
    attempt(paths, [3, 4], name="associator-0")
    number = attempt(paths, [3, 5, 4])
    other = VisitLog(paths, "engine-0")
    other.open(RANGE.shard, RANGE.number + 1, 1)
    other.note(RANGE.shard, RANGE.number + 1, np.array([1], dtype=np.uint32), np.array([104], dtype=np.uint16))
    assert repeated(paths, KEY) == 3
    assert revisited(paths, number) == 3


def test_a_target_is_an_address_and_a_port(tmp_path: Path) -> None:
    """Two ports of an address are two targets."""
    paths = SweepPaths(tmp_path, "begun")
    notes = VisitLog(paths, "engine-0")
    notes.open(RANGE.shard, RANGE.number, 1)
    notes.note(RANGE.shard, RANGE.number, np.array([7, 7], dtype=np.uint32), np.array([104, 11112], dtype=np.uint16))
    notes.close(RANGE.shard, RANGE.number)
    assert repeated(paths, KEY) == 0


def test_a_note_that_is_cut_off_is_no_target(tmp_path: Path) -> None:
    """Bytes after the last complete target are ignored."""
    paths = SweepPaths(tmp_path, "begun")
    attempt(paths, [1])
    attempt(paths, [1])
    (path,) = (paths.work / "journal").glob(f"{KEY}.2.begun.*")
    path.write_bytes(path.read_bytes() + b"\x01\x00")
    assert repeated(paths, KEY) == 1


def test_without_a_crash_nothing_is_visited_again(paths: SweepPaths) -> None:
    """The first attempt, and an attempt after others that ended in order, repeat no visit, wherever the lake is."""
    assert revisited(paths, attempt(paths, [1])) == 0
    store.write(paths.attempt(KEY, 1), b'{"probes_sent": 5}')
    assert revisited(paths, attempt(paths, [2])) == 0


def test_what_was_begun_twice_is_counted_wherever_the_lake_is(paths: SweepPaths) -> None:
    """After a crash the receipt counts the visits begun twice, in a bucket too; at the seal the notes of a bucket are removed."""
    attempt(paths, [1, 2])
    assert revisited(paths, attempt(paths, [2, 3])) == 1
    notes = visit_log._folder(paths)
    assert any(notes.iterdir())
    visit_log.forget(paths)
    assert notes.exists() == isinstance(paths.lake, Path)


def test_notes_of_earlier_boots_go(environment: str, endpoint: str, tmp_path: Path) -> None:
    """The first notes of a boot about a lake in a bucket remove the notes of earlier boots, and nothing else."""
    earlier, other = tmp_path / "state/dicom-census/begun/earlier", tmp_path / "state/dicom-census/kept"
    for folder in (earlier, other):
        folder.mkdir(parents=True)
        (folder / "note").touch()
    paths = SweepPaths(store.at(bucket.make(endpoint) + "/lake"), "begun")
    attempt(paths, [1])
    assert (earlier.exists(), other.exists()) == (False, True)
    assert revisited(paths, attempt(paths, [1])) == 1


@pytest.mark.parametrize("told", ["another boot", "", f"{host.boot_id()} another folder"])
def test_what_cannot_be_known_is_null(paths: SweepPaths, told: str) -> None:
    """After a crash in another boot, on another machine, or with associators elsewhere, the number is null."""
    attempt(paths, [1])
    note = msgspec.json.decode(paths.attempt(KEY, 1).read_bytes())
    store.write(paths.attempt(KEY, 1), msgspec.json.encode(note | {"noted": told}))
    assert revisited(paths, attempt(paths, [1])) is None


def test_who_does_not_note_is_not_known(paths: SweepPaths) -> None:
    """The number is null for an attempt that does not log all its visits."""
    assert receipts.begin_attempt(paths, KEY, logged=False) == 1
    assert revisited(paths, attempt(paths, [1])) is None
