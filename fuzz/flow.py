"""Fuzz target: any segments of a peer, in any order, give one documented outcome over TCP in user space."""

import struct

from fuzz.conversation import OUTGOING
from pipeline.associate.conversation import VISIT_US, Conversation
from pipeline.outcome import Outcome
from pipeline.probe.flow import AHEAD, MODULUS, Flow, OutgoingSegment
from pipeline.record.visit import RAW_LIMIT

#: A step: flags, sequence number relative to the expected one, number of our bytes that it acknowledges, length.
STEP = struct.Struct(">BhBB")
#: Initial sequence numbers, from which both streams soon wrap around.
OURS, THEIRS = 2**32 - 100, 2**32 - 50
STEP_US = 1000


def encode_segments(*segments: bytes, ahead: int = 0) -> bytes:
    """The input with which a peer sends these segments (flags: ACK), each `ahead` bytes after the expected position."""
    short = [segment[at : at + 255] for segment in segments for at in range(0, len(segment), 255)]
    return b"".join(STEP.pack(0x10, ahead, 255, len(segment)) + segment for segment in short)


def target(data: bytes) -> None:
    """Run a conversation over segments: only templates are sent, the buffer is bounded, and the conversation has an outcome."""
    conversation = Conversation(OUTGOING, echo=True, ip=1, port=104, started_at_us=0)
    request = conversation.connected(0)
    flow = Flow(conversation, 0, OURS, THEIRS, len(request), len(request))
    at, now = 0, 0
    while at + STEP.size <= len(data) and not flow.over:
        flags, offset, acked, size = STEP.unpack_from(data, at)
        at, now = at + STEP.size + size, now + STEP_US
        segment = data[at - size : at]
        _check(flow, list(flow.segment(flags, (flow.next + offset) % MODULUS, acked, segment, now)))
    while not flow.over:
        _check(flow, list(flow.timer(flow.due_us)))
    visit = conversation.visit(bytes_sent=flow.sent)
    assert conversation.finished and visit.outcome in Outcome
    assert visit.closed_us <= VISIT_US and len(visit.raw) <= RAW_LIMIT


def _check(flow: Flow, outs: list[OutgoingSegment]) -> None:
    assert all(OUTGOING.allows(out.payload) for out in outs if out.payload)
    assert sum(len(payload) for payload, _ in flow.ahead.values()) <= AHEAD
