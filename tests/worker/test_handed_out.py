"""What an associator elsewhere may send back: rows of the targets that it got, each once."""

from typing import Any

import msgspec
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.record.receipt import Counts, VisitCounts
from pipeline.transport import foreign, messages
from pipeline.worker.handed_out import HandedOut
from tests.publish import history

KEY = {"shard": 1, "number": 2, "attempt": 3}
TARGETS = [(20 << 24, 2762), ((20 << 24) + 1, 2762)]
OUT = messages.Rows(**KEY, table="responses")
END = messages.Cooled(**KEY, complete=True, visits=VisitCounts(connects=2))


def targets() -> pa.RecordBatch:
    ip, port = zip(*TARGETS, strict=True)
    return pa.RecordBatch.from_pydict({"ip": pa.array(ip, pa.uint32()), "port": pa.array(port, pa.uint16())})


def rows(table: str, *targets: tuple[int, int], **changed: Any) -> pa.RecordBatch:
    """Rows of a table for targets, as an associator sends them."""
    words = {column.name: column.allowed[0] for column in schema.table(table).columns if column.values}
    place = words | {"shard": 1, "range": 2, "attempt": 3} | changed
    made = history.arrow(table, [{"ip": ip, "port": port} | place for ip, port in targets])
    return made.combine_chunks().to_batches()[0]


@pytest.fixture
def handed() -> HandedOut:
    """Two targets of one range are out, and no more of it will come."""
    out = HandedOut()
    out.note(OUT, targets())
    out.note(messages.Cooled(**KEY, complete=True), None)
    return out


def of(table: str, **changed: Any) -> messages.Rows:
    return messages.Rows(**(KEY | changed), table=table)


def test_each_target_once_in_each_table(handed: HandedOut) -> None:
    """A row for each target and table is taken; the same rows again, as a replay has them, are not."""
    for table in ("responses", "tls", "associations"):
        assert handed.takes(of(table), rows(table, TARGETS[0]))
        assert not handed.takes(of(table), rows(table, TARGETS[0]))
        assert not handed.takes(of(table), rows(table, *TARGETS))
        assert handed.takes(of(table), rows(table, TARGETS[1]))
    assert handed.ends(END)
    assert not handed.ends(END)
    assert not handed.takes(of("responses"), rows("responses", TARGETS[0]))
    assert handed.ranges == {}


@pytest.mark.parametrize(
    ("message", "batch"),
    [
        (of("responses"), rows("responses", (8, 104))),
        (of("responses"), rows("responses", (TARGETS[0][0], 22))),
        (of("responses"), rows("responses", TARGETS[0], TARGETS[0])),
        (of("responses", number=3), rows("responses", TARGETS[0])),
        (of("responses", shard=0), rows("responses", TARGETS[0])),
        (of("responses", attempt=4), rows("responses", TARGETS[0])),
        (of("harm"), rows("harm", TARGETS[0])),
        (of("../receipts"), rows("responses", TARGETS[0])),
        (of("tls"), rows("responses", TARGETS[0])),
        (of("associations"), rows("associations", TARGETS[0], range=9)),
        (of("associations"), rows("associations", TARGETS[0], attempt=1)),
        (of("responses"), rows("responses", TARGETS[0], outcome="hacked")),
        (of("responses"), rows("responses", TARGETS[0], close_stage="")),
        (of("associations"), rows("associations", TARGETS[0], transport="carrier pigeon")),
        (of("tls"), rows("tls", TARGETS[0], handshake="perhaps")),
        (of("responses"), None),
    ],
)
def test_what_was_not_handed_out(handed: HandedOut, message: messages.Rows, batch: pa.RecordBatch | None) -> None:
    """Rows of other targets, ranges, attempts, tables or shapes, or with unknown words, are not taken, and change nothing."""
    assert not handed.takes(message, batch)
    assert handed.takes(of("responses"), rows("responses", *TARGETS))


@pytest.mark.parametrize(
    "end",
    [
        msgspec.structs.replace(END, number=3),
        msgspec.structs.replace(END, attempt=2),
        msgspec.structs.replace(END, counts=Counts()),
        msgspec.structs.replace(END, visits=VisitCounts(connects=3)),
        msgspec.structs.replace(END, visits=VisitCounts(connects=-1)),
        msgspec.structs.replace(END, visits=VisitCounts(late_deadlines=3)),
        msgspec.structs.replace(END, visits=VisitCounts(syn_retransmits=1 << 40)),
    ],
)
def test_ends_that_cannot_be(handed: HandedOut, end: messages.Cooled) -> None:
    """A range ends once, by its own attempt, with counts that are possible and with none of a sender."""
    assert not handed.ends(end)
    assert handed.ends(END)


def test_an_end_that_names_parts_of_a_receipt(handed: HandedOut) -> None:
    """Whatever words an associator counts, none reaches the receipt: it is no message, or ends the range with visits alone."""
    raw = msgspec.json.decode(msgspec.json.encode(END))
    for counts in ({"parts": 5}, {"probes_sent": 1 << 40}, {"attempts": 0}, 5):
        try:
            message, _ = foreign.decode([msgspec.json.encode(raw | {"counts": counts})])
        except foreign.MalformedMessage:
            continue
        assert isinstance(message, messages.Cooled)
        assert message.counts == END.counts or not handed.ends(message)
    assert handed.ends(END)


def test_an_end_before_the_engine_said_so() -> None:
    """A range for which targets may still come cannot be ended from afar."""
    out = HandedOut()
    out.note(OUT, targets())
    assert not out.ends(END)


def test_thousands_of_invented_ranges(handed: HandedOut) -> None:
    """No invented range is kept or passed on, so the writer opens no file for it."""
    batch = rows("responses", TARGETS[0])
    assert not any(handed.takes(of("responses", number=number), batch) for number in range(100, 3100))
    assert list(handed.ranges) == [(1, 2)]


def test_not_more_banners_than_targets(handed: HandedOut) -> None:
    """Banners name no target; there cannot be more of them than targets."""
    banner = history.arrow("banners", [{"banner": number} for number in range(2)]).combine_chunks().to_batches()[0]
    assert handed.takes(of("banners"), banner)
    assert not handed.takes(of("banners"), banner)
