"""Segments of our own connections: only templates can be sent."""

import pytest

from pipeline.errors import GuardError
from pipeline.probe.segments import SegmentSender
from pipeline.wire.packet import ACK, PSH, Link
from tests.associate.replies import OUTGOING

LINK = Link(bytes(6), bytes(6), 1)


def sender() -> SegmentSender:
    """A sender that has sent nothing; this test does not use its ring."""
    return SegmentSender(None, LINK, OUTGOING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "payload", [OUTGOING.request[:-1], OUTGOING.request + b"\0", OUTGOING.request * 2, b"GET / HTTP/1.0\r\n\r\n"]
)
def test_nothing_but_whole_templates_can_leave(payload: bytes) -> None:
    """A segment whose payload is not a template of the sweep cannot be made: GuardError, exit code 3."""
    with pytest.raises(GuardError, match="not one of the sweep's templates"):
        sender().kind(ACK | PSH, payload)


def test_templates_leave_as_they_are() -> None:
    """Each template ends its frame, after headers without options."""
    for payload in OUTGOING.templates.values():
        assert sender().kind(ACK | PSH, payload).frame[54:] == payload
