"""The stateless greeting: segments are processed in rounds, and our segments have their places in the stream."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.guard import namespaces, sockets
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.outcome import Outcome
from pipeline.probe.clock import Clock
from pipeline.probe.greeting import Greeter, ReceivedSegments, SynAcks, _rounds
from pipeline.probe.segments import SegmentSender
from pipeline.rings.packet_ring import segment_ring
from pipeline.testbed.closed import VANTAGE_MAC, WORLD_MAC, closed_pair
from pipeline.wire.packet import ACK, FIN, SYN, Answers, Link
from tests.associate.replies import OUTGOING

OURS, THEIRS = 1000, 5000


def segment(flags: int, sequence: int, window: int) -> Answers:
    """One segment of a host, without data, that acknowledges our SYN."""
    columns = {"address": 11 << 24, "port": 104, "our_port": 20_000, "our_sequence": OURS, "sequence": sequence}
    columns |= {"flags": flags, "ttl": 64, "window": window, "options": 0, "frame": 0, "begin": 40, "size": 0}
    types = {
        "address": "u4",
        "our_sequence": "u4",
        "sequence": "u4",
        "flags": "u1",
        "ttl": "u1",
        "options": "u8",
        "frame": "i8",
    }
    return Answers(**{name: np.array([value], types.get(name, "u2")) for name, value in columns.items()})


@pytest.mark.parametrize(("window", "sent"), [(0, 0), (64240, len(OUTGOING.request))])
def test_our_fin_counts_what_was_sent(window: int, sent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a peer closes, our FIN follows the request, or takes its place if a closed window kept the request back."""
    with closed_pair() as pair:
        manifest = tmp_path / "manifest.json"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        monkeypatch.setenv(TESTBED, str(manifest))
        monkeypatch.setenv(ONLY_TESTBED, "1")
        here = namespaces.inside(pair.vantage, lambda: sockets.packet_socket("vantage0", 0))
        there = namespaces.inside(pair.world, lambda: sockets.packet_socket("world0", 3))
        link = Link(*(bytes.fromhex(mac.replace(":", "")) for mac in (VANTAGE_MAC, WORLD_MAC)), 0xC6120001)
        segments = SegmentSender(segment_ring(here), link, OUTGOING)
        greeter = Greeter(segments, OUTGOING, None)  # type: ignore[arg-type]
        one, at = np.zeros(1, dtype=np.uint32), Clock(0.0, 0)
        slots = greeter.greet(SynAcks(segment(SYN | ACK, THEIRS, window), 1, one.astype(np.int64), one, at))
        acked = np.full(1, sent, dtype=np.uint32)
        fin = segment(FIN | ACK, THEIRS + 1, window)
        (result,) = greeter.receive(ReceivedSegments(fin, slots, acked, [b""], at))
        assert (result.end.outcome, result.sent, result.visit) == (Outcome.CLOSED, sent + 1, None)
        segments.flush()
        there.settimeout(5)
        while not (frame := there.recv(4096))[47] & FIN:
            pass
        assert int.from_bytes(frame[38:42]) == OURS + 1 + sent
        here.close()
        there.close()


@given(st.lists(st.integers(0, 8), max_size=40))
def test_each_segment_has_its_turn(slots: list[int]) -> None:
    """Every segment is in one round; no round has two segments of a host, and a host's n-th segment is in the n-th round."""
    rounds = [which.tolist() for which in _rounds(np.array(slots, dtype=np.int64))]
    assert sorted(index for which in rounds for index in which) == list(range(len(slots)))
    for number, which in enumerate(rounds):
        assert [slots[:index].count(slots[index]) for index in which] == [number] * len(which)


def test_nothing_has_no_rounds() -> None:
    """Without segments there is no round."""
    assert list(_rounds(np.zeros(0, dtype=np.int64))) == []
