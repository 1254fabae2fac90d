"""Lossy paths."""

import numpy as np
import pytest

from pipeline.testbed.internet.loss import Bottleneck, Loss


@pytest.mark.parametrize(("burst", "runs"), [(1.0, 1 / 0.95), (8.0, 8.0)])
def test_share_and_runs_of_loss(burst: float, runs: float) -> None:
    """Of a million packets in batches of any size 5 % are lost, in runs of the mean length that was set."""
    loss = Loss(0.05, burst, 3)
    sizes = np.random.default_rng(1).integers(0, 2000, 1000)
    kept = np.concatenate([loss.kept(size) for size in sizes.tolist()])
    lost = ~kept
    begun = lost & ~np.concatenate(([False], lost[:-1]))
    assert lost.mean() == pytest.approx(0.05, rel=0.1)
    assert lost.sum() / begun.sum() == pytest.approx(runs, rel=0.1)


def test_a_path_without_loss_keeps_everything() -> None:
    """Nothing is lost at a share of 0."""
    assert Loss(0.0, 1.0, 3).kept(1000).all()


def test_a_bottleneck_lets_its_rate_through() -> None:
    """Over some seconds no more than the rate passes, all of what is less, and what is lost is spread over a batch."""
    tight, wide = Bottleneck(1000), Bottleneck(1000)
    passed = sum(int(tight.kept(20, at / 100).sum()) for at in range(1, 501))
    assert 4900 <= passed <= 5100
    assert all(wide.kept(5, at / 100).all() for at in range(1, 501))
    kept = Bottleneck(100).kept(40, 0.0)
    assert 0 < kept[:20].sum() == kept[20:].sum() < 20
    assert Bottleneck(0).kept(1000, 0.0).all()
