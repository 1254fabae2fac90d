"""Replaying stored bytes gives the recorded outcome again."""

from dataclasses import replace

import pytest

from pipeline import schema
from pipeline.associate.replay import PARSED_COLUMNS, replay
from pipeline.outcome import CloseKind
from pipeline.record.visit import columns
from tests.associate.replies import ACCEPT
from tests.associate.replies import OUTGOING as REQUEST
from tests.captures import of_case
from tests.enrich.trials import OUTGOING, row_of

CASES = sorted({f"{number:02d}" for number in range(1, 60)})


def test_captured_conversations() -> None:
    """The stored bytes of every conversation with a real product give the same columns."""
    judged = 0
    for case in CASES:
        for events in of_case(case).values():
            row = row_of(events)
            if not row["like_dicom"]:
                continue
            outgoing = replace(OUTGOING, request=events[0][1])
            again = columns(replay(outgoing, row | {"close_kind": CloseKind.PEER_FIN}))
            assert {name: again[name] for name in PARSED_COLUMNS} == {name: row[name] for name in PARSED_COLUMNS}, (
                case,
                row["raw"],
            )
            judged += 1
    assert judged > 200


@pytest.mark.parametrize("kind", list(CloseKind))
def test_cut_replies(kind: CloseKind) -> None:
    """A reply that breaks off is malformed however the connection ended."""
    events = next(iter(of_case("01").values()))
    row = row_of(events)
    cut = row | {"raw": row["raw"][:40], "close_kind": kind}
    assert columns(replay(replace(OUTGOING, request=events[0][1]), cut))["outcome"] == "malformed"


def test_an_acceptance_that_was_taken_for_a_mirror() -> None:
    """An acceptance with other AE titles, which earlier parsers judged `reflected`, is `accepted` by today's."""
    titles = b"PACS".ljust(16) + b"OURS".ljust(16)
    row = {
        "ip": 1,
        "port": 104,
        "echo_sent": False,
        "raw": ACCEPT[:10] + titles + ACCEPT[42:],
        "parse_warnings": [],
        "outcome": "reflected",
        "close_kind": CloseKind.WE_CLOSED,
    }
    again = columns(replay(REQUEST, row))
    assert (again["outcome"], again["grade"], again["calling_ae_raw"]) == ("accepted", "certain", titles[16:])


def test_columns_are_those_of_the_table() -> None:
    """The table `reparsed` has the key and exactly the columns that are computed from the bytes."""
    assert [column.name for column in schema.table("reparsed").columns] == ["ip", "port", *PARSED_COLUMNS]
