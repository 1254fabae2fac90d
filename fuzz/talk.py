"""The whole conversation as a target: the bytes say what the peer sends, in which segments, and how it ends."""

from pipeline.associate.conversation import WHOLE_US, Conversation
from pipeline.associate.replay import PARSED, replay
from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.record.visit import RAW_LIMIT, Visit, columns
from pipeline.wire.outgoing import encode
from pipeline.wire.pdu import WARNINGS_KEPT

OUTGOING = encode(calling_ae="CENSUS", class_uid="2.25.1")
#: First byte of a step below this: so many bytes follow as one segment, counted by the next two bytes.
SEGMENT = 0xFA
#: Other first bytes: what the driver reports.
EVENTS = {0xFA: "peer_closed", 0xFB: "peer_reset", 0xFC: "deadline", 0xFD: "connected", 0xFE: "connect_failed"}
STEP = 3


def encode_talk(*segments: bytes, echo: bool = True, end: int = 0xFA) -> bytes:
    """The bytes that make a peer send these segments and end so."""
    steps = (b"\0" + len(segment).to_bytes(2) + segment for segment in segments)
    return bytes([echo]) + b"".join(steps) + bytes([end, 0, 0])


def converse(data: bytes) -> None:
    """Hold a conversation with any peer: it ends in one documented outcome, and only templates leave."""
    talk = Conversation(OUTGOING, echo=bool(data[:1] > b"\0"), ip=1, port=104, started_at_us=0)
    sent = [talk.connected(1)]
    at, now = 1, 2
    while at < len(data) and not talk.finished:
        size = int.from_bytes(data[at + 1 : at + STEP]) if data[at] < SEGMENT else 0
        segment = data[at + STEP : at + STEP + size]
        sent.append(_tell(talk, data[at], segment, now))
        at, now = at + STEP + size, now + 1
    _end(talk, sent)


def _tell(talk: Conversation, step: int, segment: bytes, now: int) -> bytes:
    """Report one thing to the conversation."""
    event = EVENTS.get(step)
    return bytes(getattr(talk, event)(now)) if event else talk.received(segment, now)


def _end(talk: Conversation, sent: list[bytes]) -> None:
    """Bring the conversation to its end, and judge it."""
    if not talk.finished:
        sent.append(talk.deadline(WHOLE_US))
    assert talk.finished
    assert talk.received(b"more", WHOLE_US) == b""
    visit = talk.visit()
    assert isinstance(visit.outcome, Outcome)
    assert isinstance(visit.close_kind, CloseKind)
    assert isinstance(visit.close_stage, CloseStage)
    assert len(visit.raw) <= RAW_LIMIT
    assert len(visit.parse_warnings) <= WARNINGS_KEPT
    _again(visit)
    leaving = [data for data in sent if data]
    assert all(OUTGOING.allows(data) for data in leaving)
    assert leaving.count(OUTGOING.request) == 1
    assert leaving.count(OUTGOING.echo) <= 1


def _again(visit: Visit) -> None:
    """Judge the kept bytes again: the same parser gives the same columns, unless more came than is kept."""
    row = columns(visit)
    if visit.like_dicom and visit.raw_length <= RAW_LIMIT:
        again = columns(replay(OUTGOING, row))
        assert {name: again[name] for name in PARSED} == {name: row[name] for name in PARSED}
