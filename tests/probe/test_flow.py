"""TCP in user space: in whatever order segments arrive, the conversation reads the peer's bytes in stream order."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.associate.conversation import ANSWER_US, Conversation
from pipeline.outcome import CloseKind, Outcome
from pipeline.probe.flow import AHEAD, MODULUS, RETRANSMIT_US, Flow, OutgoingSegment
from pipeline.wire.packet import ACK, FIN, PSH, RST
from tests.associate.replies import ACCEPT, ECHO_RSP, OUTGOING, RELEASE_RP

REQUEST = len(OUTGOING.request)
OURS, THEIRS = 2**32 - 100, 2**32 - 50  # both streams wrap


def begin(*, echo: bool = True, acked: int = REQUEST) -> Flow:
    talk = Conversation(OUTGOING, echo=echo, ip=1, port=104, started_at_us=0)
    talk.connected(0)
    flow = Flow(talk, 0, OURS, THEIRS, acked, REQUEST)
    if acked < REQUEST:
        flow.unacknowledged.append((0, OUTGOING.request, 0))
    return flow


def give(flow: Flow, data: bytes, at: int, *, flags: int = ACK, now_us: int = 1000) -> list[OutgoingSegment]:
    """Deliver a segment that begins at byte `at` of the peer's stream, and acknowledges all our bytes."""
    return list(flow.segment(flags, (THEIRS + at) % MODULUS, flow.sent, data, now_us))


def payloads(outs: Iterable[OutgoingSegment]) -> list[bytes]:
    return [out.payload for out in outs if out.payload]


def test_a_whole_visit() -> None:
    """Acceptance, C-ECHO, release: each template is sent once, at its place in both streams, and our FIN at the end."""
    flow = begin()
    (echo,) = give(flow, ACCEPT, 0)
    assert (echo.payload, echo.sequence) == (OUTGOING.echo, (OURS + REQUEST) % MODULUS)
    assert echo.acknowledgement == (THEIRS + len(ACCEPT)) % MODULUS
    (release,) = give(flow, ECHO_RSP, len(ACCEPT))
    assert release.payload == OUTGOING.release_request
    (end,) = give(flow, RELEASE_RP, len(ACCEPT) + len(ECHO_RSP))
    assert (end.flags, end.payload, flow.over) == (ACK | FIN, b"", True)
    assert flow.talk.visit(bytes_sent=flow.sent).outcome is Outcome.ECHOED
    assert flow.sent == REQUEST + len(OUTGOING.echo) + len(OUTGOING.release_request)


@given(st.data())
def test_any_order_and_overlap(data: st.DataObject) -> None:
    """Cut anywhere, duplicated, overlapping and in any order, the same bytes are read once."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(ACCEPT) - 1), max_size=5)))
    begins, ends = [0, *cuts], [*cuts, len(ACCEPT)]
    pieces = [(begin, data.draw(st.integers(end, len(ACCEPT)))) for begin, end in zip(begins, ends, strict=True)]
    doubled = pieces + data.draw(st.lists(st.sampled_from(pieces), max_size=3))
    flow = begin()
    sent = []
    for first, last in data.draw(st.permutations(doubled)):
        sent += payloads(give(flow, ACCEPT[first:last], first))
    assert sent == [OUTGOING.echo]
    assert flow.next == (THEIRS + len(ACCEPT)) % MODULUS
    assert flow.talk.visit().raw == ACCEPT


def test_early_bytes_are_acknowledged_where_we_are() -> None:
    """An early segment is answered with the sequence number that we still expect."""
    (out,) = give(begin(), ACCEPT[20:], 20)
    assert (out.flags, out.payload, out.acknowledgement) == (ACK, b"", THEIRS)


def test_too_much_too_early_is_dropped() -> None:
    """At most AHEAD bytes are kept of data that cannot be read yet."""
    flow = begin()
    for number in range(100):
        give(flow, bytes(1460), 10 + 2000 * number)
    assert sum(len(piece) for piece, _ in flow.ahead.values()) <= AHEAD


def test_a_fin_with_the_last_bytes() -> None:
    """A FIN behind data is read after the data; before our FIN, it is the peer's close."""
    flow = begin()
    outs = give(flow, ACCEPT[:30], 0, flags=ACK | FIN)
    assert flow.over and outs[-1].flags & FIN
    assert outs[-1].acknowledgement == (THEIRS + 31) % MODULUS
    visit = flow.talk.visit()
    assert (visit.outcome, visit.close_kind) == (Outcome.MALFORMED, CloseKind.PEER_FIN)


@pytest.mark.parametrize(("offset", "ends"), [(0, True), (1, False), (-1, False)])
def test_only_a_reset_in_place_ends(offset: int, ends: bool) -> None:
    """A RST counts only if it has the expected sequence number (RFC 5961 §3.2)."""
    flow = begin()
    assert give(flow, b"", offset, flags=RST) == []
    assert flow.over is ends


def test_what_is_not_acknowledged_is_sent_again() -> None:
    """After a second unacknowledged bytes are sent again to the same place; acknowledged bytes are not."""
    flow = begin(acked=10)
    assert list(flow.timer(RETRANSMIT_US - 1)) == []
    (again,) = flow.timer(RETRANSMIT_US)
    assert (again.payload, again.sequence, again.flags) == (OUTGOING.request, OURS, ACK | PSH)
    assert flow.due_us == 2 * RETRANSMIT_US
    give(flow, b"", 0)
    assert flow.unacknowledged == []


def test_the_deadline_aborts() -> None:
    """At the conversation's deadline A-ABORT and FIN are sent."""
    flow = begin()
    give(flow, ACCEPT[:10], 0)
    assert flow.due_us == ANSWER_US
    (out,) = flow.timer(ANSWER_US)
    assert (out.payload, out.flags & FIN, flow.over) == (OUTGOING.abort, FIN, True)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, MODULUS - 1), st.integers(0, 9000), st.binary(max_size=40)))
)
def test_any_segments(segments: list[tuple[int, int, int, bytes]]) -> None:
    """Whatever segments arrive, only templates are sent, and a finished flow sends nothing more."""
    flow = begin()
    for number, (flags, sequence, acked, payload) in enumerate(segments):
        if not flow.over:
            outs = list(flow.segment(flags, sequence, acked, payload, number))
            assert all(OUTGOING.allows(each) for each in payloads(outs))
