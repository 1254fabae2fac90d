"""The proof that the first frames leave: by a counter that rises with them, later, or never."""

import numpy as np
import pytest

from pipeline.engines import Engine
from pipeline.probe import departure
from pipeline.probe.departure import MOST, PATIENCE_SECONDS, Departure, WatchedRing
from pipeline.wire.cookie import Secret

TICK = 0.01


class Interface:
    """A counter that the test raises."""

    name = "m0"

    def __init__(self) -> None:
        self.frames, self.closed = 1000, False

    def sent(self) -> int:
        return self.frames

    def close(self) -> None:
        self.closed = True


def watched(batch: int, *, counted: float = 1.0, noise: int = 0) -> Departure:
    """A proof after ticks in which batches are sent as there is room: a share of them is counted, and others' frames too."""
    interface = Interface()
    proof = Departure(interface)
    for tick in range(600):
        proof.check(tick * TICK, answered=lambda: False)
        if proof.decided:
            break
        frames = min(batch, proof.room or 0)
        proof.count(frames, tick * TICK)
        interface.frames += noise + int(frames * counted)
    return proof


@pytest.mark.parametrize("batch", [1, 15, MOST, 10_000])
def test_frames_that_are_counted_have_left(batch: int) -> None:
    """At any rate, frames that the driver counts as it sends them are proof, and no limit is left."""
    proof = watched(batch)
    assert proof.proven and proof.room is None and not proof.lost


def test_a_few_may_be_dropped() -> None:
    """A driver that drops a third of a burst still sends."""
    assert watched(64, counted=0.67).proven


def test_a_driver_that_counts_late() -> None:
    """Counted all at once after two seconds, they have left as well; meanwhile no more than MOST are in doubt."""
    interface = Interface()
    proof = Departure(interface)
    proof.count(MOST, 0.0)
    for tick in range(200):
        proof.check(tick * TICK, answered=lambda: False)
    assert not proof.decided and proof.room == 0
    interface.frames += MOST
    proof.check(2.0, answered=lambda: False)
    assert proof.proven


@pytest.mark.parametrize("batch", [1, 15, 10_000])
@pytest.mark.parametrize("noise", [0, 1])
def test_frames_that_are_not_counted_are_lost(batch: int, noise: int) -> None:
    """If none is counted they are lost, also where another program sends a hundred a second by the same interface."""
    proof = watched(batch, counted=0.0, noise=noise if batch > 1 else 0)
    assert not proof.proven and proof.lost.startswith("the counter of m0 shows ")
    assert proof.room == 0


def test_how_many_were_lost() -> None:
    """The verdict comes after PATIENCE_SECONDS, and names the counter and what it shows."""
    interface = Interface()
    proof = Departure(interface)
    proof.count(MOST, 0.0)
    proof.check(PATIENCE_SECONDS - 0.1, answered=lambda: False)
    assert not proof.decided
    proof.check(PATIENCE_SECONDS, answered=lambda: False)
    assert proof.lost == f"the counter of m0 shows 0 of its first {MOST} frames"


def test_an_answer_is_proof() -> None:
    """A driver that counts nothing is proved by the first host that answers."""
    proof = Departure(Interface())
    proof.count(1, 0.0)
    proof.check(TICK, answered=lambda: True)
    assert proof.proven


def test_a_link_that_went_away_proves_nothing() -> None:
    """An interruption of the link begins the proof again: what was not counted then does not count against the engine."""
    interface = Interface()
    proof = Departure(interface)
    proof.count(MOST, 0.0)
    proof.check(60.0, answered=lambda: False, interrupted=True)
    assert not proof.decided and proof.room == MOST
    proof.count(MOST, 60.0)
    interface.frames += MOST
    proof.check(60.01, answered=lambda: False)
    assert proof.proven


def test_a_short_sweep_is_judged_at_its_end() -> None:
    """A range that ends before there is a verdict is judged by what was counted: none of it is a loss, half of it is not."""
    lost, left, unsent = (Departure(Interface()) for _ in range(3))
    for proof in (lost, left):
        proof.count(4, 0.0)
    left.left = 2
    for proof in (lost, left, unsent):
        proof.give_up()
    assert lost.lost and not left.lost and not unsent.lost


def test_a_driver_that_refuses_every_frame() -> None:
    """A driver that takes no frame for PATIENCE_SECONDS is named; while the link was away, that counts for nothing."""
    proof = Departure(Interface())
    for now in (0.0, 1.0, 2.9):
        proof.refuse(16, now)
        proof.check(now, answered=lambda: False)
    assert not proof.decided
    proof.check(60.0, answered=lambda: False, interrupted=True)
    proof.refuse(16, 60.0)
    assert not proof.decided
    proof.refuse(16, 60.0 + PATIENCE_SECONDS)
    assert proof.lost == "the driver of m0 has refused every frame for 3 seconds"


def test_a_driver_that_takes_some() -> None:
    """A driver that has taken a frame is judged by the counter, however many it refuses."""
    interface = Interface()
    proof = Departure(interface)
    proof.count(16, 0.0)
    proof.refuse(16, 0.0)
    interface.frames += 16
    proof.check(1.0, answered=lambda: False)
    proof.refuse(16, 60.0)
    assert proof.proven and not proof.lost


def test_the_ring_keeps_to_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than MOST frames leave the ring before there is proof; those that the kernel refuses are not among them."""

    class Ring:
        engine, rejected, bakes, taken = Engine.RING, 3, False, 7
        tags = np.zeros(2, dtype=np.uint32)

        def __init__(self) -> None:
            self.said: list[object] = []

        def room(self, wanted: int) -> int:
            return wanted

        def change_template(self, template: bytes) -> None:
            self.said.append(template)

        def fill(self, *columns: object) -> None:
            self.said += columns

        def send(self, count: int) -> "np.typing.NDArray[np.int64]":
            return np.arange(min(count, 6))

    monkeypatch.setattr(departure.time, "monotonic", lambda: 0.0)
    interface = Interface()
    proof = Departure(interface)
    below = Ring()
    ring = WatchedRing(below, proof)
    assert (ring.engine, ring.rejected, ring.bakes, ring.taken, len(ring.tags)) == (Engine.RING, 3, False, 7, 2)
    ring.change_template(b"frame")
    ring.fill(ring.tags, np.zeros(2, np.uint16), Secret(1, 2), None)
    assert below.said[0] == b"frame" and len(below.said) == 5
    assert ring.room(10_000) == MOST
    assert len(ring.send(6)) == 6 and proof._refused == 6
    assert len(ring.send(MOST)) == 6
    assert ring.room(10_000) == 6
    interface.frames += MOST - 6
    proof.check(TICK, answered=lambda: False)
    assert ring.room(10_000) == 10_000
    proof.close()
    assert interface.closed
