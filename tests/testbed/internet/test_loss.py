"""Lossy paths."""

import numpy as np
import pytest

from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.loss import Bottleneck, Loss, Stalling, SynAckLoss
from pipeline.wire.packet import ACK, PSH, SYN
from pipeline.wire.segment import Endpoints


@pytest.mark.parametrize(("burst", "runs"), [(1.0, 1 / 0.95), (8.0, 8.0)])
def test_share_and_runs_of_loss(burst: float, runs: float) -> None:
    """Of a million packets in batches of any size, 5 % are lost, in bursts of the configured mean length."""
    loss = Loss(0.05, burst, 3)
    sizes = np.random.default_rng(1).integers(0, 2000, 1000)
    passes = np.concatenate([loss.passes(size) for size in sizes.tolist()])
    lost = ~passes
    burst_starts = lost & ~np.concatenate(([False], lost[:-1]))
    assert lost.mean() == pytest.approx(0.05, rel=0.1)
    assert lost.sum() / burst_starts.sum() == pytest.approx(runs, rel=0.1)


def test_a_path_without_loss_keeps_everything() -> None:
    """Nothing is lost at a share of 0."""
    assert Loss(0.0, 1.0, 3).passes(1000).all()


def test_a_bottleneck_passes_its_rate() -> None:
    """At most the rate passes, a lower rate passes completely, and losses are spread over a batch."""
    tight, wide = Bottleneck(1000), Bottleneck(1000)
    passed = sum(int(tight.passes(20, at / 100).sum()) for at in range(1, 501))
    assert 4900 <= passed <= 5100
    assert all(wide.passes(5, at / 100).all() for at in range(1, 501))
    passes = Bottleneck(100).passes(40, 0.0)
    assert 0 < passes[:20].sum() == passes[20:].sum() < 20
    assert Bottleneck(0).passes(1000, 0.0).all()


def test_syn_acks_of_a_range_are_lost() -> None:
    """Of a range's SYN-ACKs its share is lost; its other segments, and SYN-ACKs from elsewhere, arrive."""
    unheard = SynAckLoss([(Ranges.of([(0, 99_999)]), 0.3), (Ranges.of([(100_000, 199_999)]), 0.0)], 1)
    addresses = np.arange(200_000, dtype=np.uint32)
    arrived = unheard.passes(SYN | ACK, addresses)
    assert abs(arrived[:100_000].mean() - 0.7) < 0.01 and arrived[100_000:].all()
    assert unheard.passes(PSH | ACK, addresses).all()


def test_connections_of_a_range_stall_after_the_syn_ack() -> None:
    """Of a range's connections its share gets nothing but the SYN-ACK, and another connection to the same host may get all."""
    stalling = Stalling([(Ranges.of([(0, 99_999)]), 0.3), (Ranges.of([(100_000, 199_999)]), 0.0)], 1)
    addresses, blank = np.arange(200_000, dtype=np.uint32), np.zeros(200_000, np.uint32)
    port = np.full(200_000, 104, np.uint16)
    first, second = (
        Endpoints(addresses, port, np.full(200_000, ours, np.uint16), blank, blank) for ours in (40_000, 40_001)
    )
    arrived, again = (stalling.passes(PSH | ACK, places) for places in (first, second))
    assert abs(arrived[:100_000].mean() - 0.7) < 0.01 and arrived[100_000:].all()
    assert abs((arrived & again)[:100_000].mean() - 0.49) < 0.01
    assert stalling.passes(SYN | ACK, first).all() and (stalling.passes(ACK, first) == arrived).all()
