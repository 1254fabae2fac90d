"""Fuzz target: whole conversations. The input encodes the peer's segments and the end of the connection."""

from pipeline.associate.conversation import VISIT_US, Conversation
from pipeline.associate.replay import PARSED_COLUMNS, replay
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.record.visit import RAW_LIMIT, Visit, columns
from pipeline.wire.outgoing import encode
from pipeline.wire.pdu import WARNINGS_KEPT

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
#: A step with a first byte below this value is a segment; the next two bytes are its length.
SEGMENT = 0xFA
#: Other first bytes: the event that the driver reports.
EVENTS = {0xFA: "peer_closed", 0xFB: "peer_reset", 0xFC: "deadline", 0xFD: "connected", 0xFE: "connect_failed"}
STEP = 3


def encode_conversation(*segments: bytes, echo: bool = True, end: int = 0xFA) -> bytes:
    """The input with which a peer sends these segments and ends with this event."""
    steps = (b"\0" + len(segment).to_bytes(2) + segment for segment in segments)
    return bytes([echo]) + b"".join(steps) + bytes([end, 0, 0])


def converse(data: bytes) -> None:
    """Run a conversation with any peer: it ends with one documented outcome, and only templates are sent."""
    conversation = Conversation(OUTGOING, echo=bool(data[:1] > b"\0"), ip=1, port=104, started_at_us=0)
    sent = [conversation.connected(1)]
    at, now = 1, 2
    while at < len(data) and not conversation.finished:
        size = int.from_bytes(data[at + 1 : at + STEP]) if data[at] < SEGMENT else 0
        segment = data[at + STEP : at + STEP + size]
        sent.append(_report(conversation, data[at], segment, now))
        at, now = at + STEP + size, now + 1
    _end(conversation, sent)


def _report(conversation: Conversation, step: int, segment: bytes, now: int) -> bytes:
    """Report one event to the conversation."""
    event = EVENTS.get(step)
    return bytes(getattr(conversation, event)(now)) if event else conversation.received(segment, now)


def _end(conversation: Conversation, sent: list[bytes]) -> None:
    """End the conversation, and check its result."""
    if not conversation.finished:
        sent.append(conversation.deadline(VISIT_US))
    assert conversation.finished
    assert conversation.received(b"more", VISIT_US) == b""
    visit = conversation.visit()
    assert isinstance(visit.outcome, Outcome)
    assert isinstance(visit.close_kind, CloseKind)
    assert isinstance(visit.close_stage, CloseStage)
    assert len(visit.raw) <= RAW_LIMIT
    assert len(visit.parse_warnings) <= WARNINGS_KEPT
    _check_replay(visit)
    templates_sent = [data for data in sent if data]
    assert all(OUTGOING.allows(data) for data in templates_sent)
    assert templates_sent.count(OUTGOING.request) == 1
    assert templates_sent.count(OUTGOING.echo) <= 1


def _check_replay(visit: Visit) -> None:
    """Replay the stored bytes: the same parser gives the same columns, unless some bytes were not stored."""
    row = columns(visit)
    if visit.like_dicom and visit.raw_length <= RAW_LIMIT:
        again = columns(replay(OUTGOING, row))
        assert {name: again[name] for name in PARSED_COLUMNS} == {name: row[name] for name in PARSED_COLUMNS}
