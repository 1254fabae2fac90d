"""Conversations with real products: each reply's fields and each conversation's outcome, from a table.

`tests/data/fixtures*-expected.jsonl` hold, for each conversation of the files beside them, its outcome and the fields, the
warnings and the capturing program's own words of each reply. They were written from the reference reader, checked against
those words, and read through by hand where a reply is odd; so four readers have to agree: the table, the reference
reader, the decoder and, if it accepts the reply, pynetdicom's.
"""

from collections import Counter

from pipeline.associate.conversation import Conversation
from pipeline.wire.outgoing import encode
from tests import captures
from tests.captures import FILES, FIXTURES, expectations, name, received
from tests.every import every
from tests.wire import expect
from tests.wire.reference import Row
from tests.wire.rows import cut, odd, row

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
EXPECTED = [row for path in FILES for row in captures.read(expectations(path))]
PAIRS = list(zip(FIXTURES, EXPECTED, strict=True))
CASES = [f"{name(row)} {row['case']}" for row in FIXTURES]
#: Conversations and replies of each file of captures, so that none is lost.
WHOLE = {"fixtures": (529, 595), "fixtures-2026-11": (70, 137)}
ENDS = {"fin": "peer_closed", "rst": "peer_reset", "timeout": "deadline"}


def fields(reply: Row) -> Row:
    """A row of the table without its description."""
    return {name: value for name, value in reply.items() if name not in ("warnings", "note")}


def test_the_table_is_whole() -> None:
    """The table has a row for each conversation and each reply, and no file has lost any."""
    assert [(row["file"], row["case"]) for row in EXPECTED] == [(row["file"], row["case"]) for row in FIXTURES]
    assert [len(row["replies"]) for row in EXPECTED] == [len(received(row)) for row in FIXTURES]
    counted = {path.stem: captures.read(path) for path in FILES if path.stem in WHOLE}
    assert {stem: (len(rows), sum(len(received(row)) for row in rows)) for stem, rows in counted.items()} == WHOLE


def test_the_table_has_these_outcomes() -> None:
    """How often each outcome occurs in the first captures, to compare with their own description."""
    first = captures.read(expectations(FILES[0]))
    assert Counter(row["outcome"] for row in first) == {
        "accepted": 152,
        "rejected": 133,
        "aborted": 71,
        "reset": 63,
        "silent": 51,
        "accepted_no_verification": 22,
        "echoed": 19,
        "closed": 17,
        "not_dicom": 1,
    }


@every(("fixture", "expected"), PAIRS, ids=CASES)
def test_the_table_is_what_a_naive_reader_reads(fixture: Row, expected: Row) -> None:
    """Each row of the table agrees with the reference reader and with the capturing program's notes."""
    assert expect.expected(fixture) == expected


@every(("fixture", "expected"), PAIRS, ids=CASES)
def test_fields_of_replies(fixture: Row, expected: Row) -> None:
    """The decoder reads from each reply the fields and the warnings of the table."""
    for data, reply in zip(received(fixture), expected["replies"], strict=True):
        assert row(data) == fields(reply)
        assert odd(data) == reply["warnings"]
        assert cut(data).type == data[0]


def sent_before_the_answer(fixture: Row) -> bytes:
    """The bytes that replace our request."""
    events = fixture["events"]
    first = next((at for at, event in enumerate(events) if event["ev"] == "recv"), len(events))
    return b"".join(bytes.fromhex(event["hex"]) for event in events[:first] if event["ev"] == "send")


def held(fixture: Row) -> str:
    """Run the conversation with the peer's captured bytes; return its outcome."""
    echo = any(event["ev"] == "send" and event["hex"].startswith("04") for event in fixture["events"])
    pipelined = fixture["case"].startswith("29")
    outgoing = OUTGOING.__class__(**OUTGOING.templates | {"request": sent_before_the_answer(fixture)})
    talk = Conversation(outgoing, echo=echo or pipelined, ip=1, port=104, started_at_us=0)
    talk.connected(0)
    for at, data in enumerate(received(fixture)):
        talk.received(data, at)
    end = next((event["ev"] for event in fixture["events"] if event["ev"] in ENDS), "timeout")
    if not talk.finished:
        getattr(talk, ENDS[end])(10_000_000)
    return talk.visit().outcome


@every(("fixture", "expected"), PAIRS, ids=CASES)
def test_outcome_of_conversations(fixture: Row, expected: Row) -> None:
    """Each conversation with a real product has the outcome of the table."""
    assert held(fixture) == expected["outcome"]
