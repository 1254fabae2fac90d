"""Write what each conversation of a file of captures says, by the reference reader alone: no code of the program is used.

python -m tests.wire.expect tests/data/fixtures-2026-11.jsonl

writes `tests/data/fixtures-2026-11-expected.jsonl`. Read odd replies through by hand before you keep it.
"""

import json
import sys
from pathlib import Path

from tests.captures import Row, expectations, read, received
from tests.wire import reference

#: The outcome of a conversation without a reply, by how it ended first.
UNANSWERED = {"fin": "closed", "rst": "reset", "timeout": "silent"}
ANSWERED = {"A-ASSOCIATE-RJ": "rejected", "A-ABORT": "aborted"}


def expected(fixture: Row) -> Row:
    """The row of `-expected` for a conversation."""
    replies = [_reply(data) for data in received(fixture)]
    return {"file": fixture["file"], "case": fixture["case"], "outcome": outcome(fixture, replies), "replies": replies}


def _reply(data: bytes) -> Row:
    fields = reference.read(data)
    kept = {
        name: value for name, value in fields.items() if name != "group_length"
    }  # only a warning, like the decoder's
    return kept | {"warnings": reference.warnings(fields), "note": reference.note(fields)}


def outcome(fixture: Row, replies: list[Row]) -> str:
    """The outcome by the words of docs/outcomes.md."""
    if not replies:
        end = next((event["ev"] for event in fixture["events"] if event["ev"] in UNANSWERED), "timeout")
        return UNANSWERED[end]
    first = replies[0]
    if first["pdu"] != "A-ASSOCIATE-AC":
        return ANSWERED.get(first["pdu"], "not_dicom")
    if not any(number == 1 and result == 0 for number, result, _ in first["contexts"]):
        return "accepted_no_verification"
    pipelined = fixture["case"].startswith("29")
    asked = pipelined or any(event["ev"] == "send" and event["hex"].startswith("04") for event in fixture["events"])
    return "echoed" if asked and any("status" in reply for reply in replies) else "accepted"


def main(path: Path) -> None:
    """Write the expectations of a file beside it."""
    lines = [json.dumps(expected(fixture)) for fixture in read(path)]
    expectations(path).write_text("".join(line + "\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
