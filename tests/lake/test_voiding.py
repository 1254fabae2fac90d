"""A receipt that is void leaves its range as if its attempt had been cut off."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from pipeline.lake import parts, receipts, store, voiding
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.record.receipt import Counts, Part, Receipt
from pipeline.record.rounds import Round
from pipeline.space.shard import Range

RANGE = Range(shard=0, number=1, first_index=0, last_index=99)
KEY = RANGE.key
WHEN = datetime(2026, 6, 20, tzinfo=UTC)
TARGET = {"port": 104, "answered_at": WHEN}
VISIT = TARGET | {"outcome": "silent", "close_kind": "none", "close_stage": "associate"}
DEAF = VISIT | {"ip": 8, "outcome": "unacknowledged"}
CHECK = TARGET | {"ip": 9, "arm": "speaker", "attempt": 1}
TABLES = {"responses": [VISIT | {"ip": 7}, DEAF, VISIT | {"ip": 9}], "harm": [CHECK]}


@pytest.fixture
def paths(lake: Location) -> SweepPaths:
    return SweepPaths(lake, "trial")


def finished(paths: SweepPaths, round_: Round = Round.PROBES, **counts: int | None) -> Receipt:
    """The receipt, in the lake, of a range that was finished at its second attempt, with parts."""
    written: list[Part] = []
    for table, rows in TABLES.items():
        blank = parts.from_rows(rows, table)
        file = paths.part(table, f"{KEY}.2.parquet")
        written.append(parts.write(file, pa.Table.from_batches([blank]), table, paths.id))
    receipt = Receipt(
        shard=0, range=1, attempts=2, round=round_, probes_sent=100, parts=tuple(written), host="here", **counts
    )
    assert receipts.put_receipt(paths, KEY, receipt)
    return receipt


def journalled(paths: SweepPaths, table: str) -> list[int]:
    return parts.read_journal(paths.journal(KEY, 2, table), table)["ip"].to_pylist()


def next_receipt(paths: SweepPaths) -> Receipt:
    """The receipt of the next attempt, which counts nothing."""
    number = receipts.begin_attempt(paths, KEY)
    assert number == 3
    return receipts.of_range(paths, "digest", RANGE, number, receipts.Results(Counts(), {}, []))


def test_a_void_range_is_pending_again(paths: SweepPaths) -> None:
    """It has no receipt, its rows are a journal of its last attempt, and what it sent and repeated is in the next receipt.

    A host that did not acknowledge our request has no row any more: it is visited again, and counts as such.
    """
    voiding.void(paths, [finished(paths, probes_abandoned=20, revisited=3)], "the hit rate fell")
    assert receipts.finished(paths) == set()
    assert (journalled(paths, "responses"), journalled(paths, "harm")) == ([7, 9], [9])
    following = next_receipt(paths)
    assert (following.attempts, following.probes_abandoned, following.revisited) == (3, 120, 4)
    assert [(record.key, record.reason) for record in voiding.records(paths)] == [(KEY, "the hit rate fell")]


def test_what_is_unknown_stays_unknown(paths: SweepPaths) -> None:
    """If a crashed attempt was among those before, what was sent and repeated is null in the next receipt too."""
    voiding.void(paths, [finished(paths, probes_abandoned=None, revisited=None)], "the hit rate fell")
    following = next_receipt(paths)
    assert (following.probes_abandoned, following.revisited) == (None, None)


def test_checks_are_made_again(paths: SweepPaths) -> None:
    """Who was visited by a harm check is not visited again, but whether hosts still answer is asked again."""
    voiding.void(paths, [finished(paths, Round.HARM_CHECKS)], "the hit rate fell")
    assert (journalled(paths, "responses"), journalled(paths, "harm")) == ([7, 9], [])


def test_a_crash_in_the_middle_is_finished(paths: SweepPaths) -> None:
    """What has its record is void; the machine that wrote it finishes that when it begins again, and no other does."""
    receipt = finished(paths)
    voiding.void(paths, [receipt], "the hit rate fell")
    store.write(paths.receipt(KEY), store.read(paths.void(KEY, 2))[0].partition(b'"receipt":')[2][:-1])  # type: ignore[index]
    assert [record.key for record in voiding.standing(paths)] == [KEY]
    voiding.complete(paths, "elsewhere")
    assert receipts.finished(paths) == {KEY}
    voiding.complete(paths, "here")
    assert receipts.finished(paths) == set() and list(voiding.standing(paths)) == []
    receipts.put_receipt(paths, KEY, Receipt(shard=0, range=1, attempts=3, host="here"))
    voiding.complete(paths, "here")
    assert receipts.finished(paths) == {KEY}


def test_companion_syns_leave_again(paths: SweepPaths) -> None:
    """No answer to a companion SYN is kept, and every SYN counts as sent before and as sent again."""
    rows = [TARGET | {"ip": 7, "visited_at": WHEN, "sent_at": sent, "answer": "open"} for sent in (WHEN, None)]
    file = paths.part("companions", f"{KEY}.2.parquet")
    part = parts.write(file, pa.Table.from_batches([parts.from_rows(rows, "companions")]), "companions", paths.id)
    receipt = Receipt(shard=0, range=1, attempts=2, round=Round.COMPANIONS, companion_probes=5, parts=(part,))
    assert receipts.put_receipt(paths, KEY, receipt)
    voiding.void(paths, [receipt], "the hit rate fell")
    assert journalled(paths, "companions") == []
    following = next_receipt(paths)
    assert (following.probes_abandoned, following.revisited) == (5, 1)
