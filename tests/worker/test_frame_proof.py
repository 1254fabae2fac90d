"""What a sender does when its first frames have not left: it stops for another engine, or warns and goes on."""

from typing import Any

import pytest

from pipeline.probe.departure import MOST, Departure
from pipeline.probe.engine_events import Finished
from pipeline.record.receipt import Counts
from pipeline.space.shard import Range
from pipeline.transport import messages
from pipeline.worker.frame_proof import FrameProof
from pipeline.worker.sender import SenderParts
from tests.probe.test_departure import Interface

LOST = "the counter of m0 shows 0 of its first 256 frames"


class Around:
    """The engine and the coordinator's channel: what each of them got."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1

    def send(self, message: Any) -> None:
        self.sent.append(message)


def proof_of(around: Any, *, yields: bool, left: int = 0) -> tuple[FrameProof, Departure]:
    departure = Departure(Interface())
    departure.count(MOST, 0.0)
    departure.left = left
    sender = SenderParts(around, "10.1.0.5", around, around, around, departure=departure)
    return FrameProof(sender, around, yields=yields), departure


def ended() -> Finished:
    counts = Counts(probes_sent=MOST, second_probes=2, control_probes=1)
    return Finished(Range(0, 0, 0, MOST - 1), counts, complete=True)


def test_another_engine_takes_over() -> None:
    """With `auto` the sender stops and says why once; the range is incomplete, and claims no probe that has not left."""
    around = Around()
    proof, departure = proof_of(around, yields=True)
    proof.look()
    assert not around.sent
    departure.give_up()
    proof.look()
    proof.look()
    assert (around.sent, around.stops) == ([messages.Vanished(shard=0, number=0, reason=LOST)], 1)
    event = proof.judged(ended())
    assert not event.complete
    assert (event.counts.probes_sent, event.counts.second_probes, event.counts.control_probes) == (0, 0, 0)


def test_a_range_that_ends_before_the_verdict() -> None:
    """A range that has cooled down before there was proof is judged then: lost, or as it is if half of it has left."""
    lost, left = Around(), Around()
    assert not proof_of(lost, yields=True)[0].judged(ended()).complete and lost.stops == 1
    assert proof_of(left, yields=True, left=MOST // 2)[0].judged(ended()) == ended()
    assert not left.stops


def test_an_engine_that_is_named_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    """If the plan names its engine, one line warns, nothing stops, and what was sent counts."""
    around = Around()
    proof, departure = proof_of(around, yields=False)
    departure.give_up()
    proof.look()
    proof.look()
    assert capfd.readouterr().err.count(f"warning: {LOST}") == 1
    assert departure.room is None and not around.stops and not around.sent
    assert proof.judged(ended()) == ended()
