"""The test of change by network."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.statistics.change import change
from pipeline.statistics.sign_flip import least, sign_flip

#: Networks of a world: a quarter of them turn over, each with all of its services at once.
NETWORKS, EACH, WORLDS = 40, 20, 1500


@given(st.lists(st.integers(-9, 9), max_size=9))
def test_it_is_the_share_of_all_signs(net: list[int]) -> None:
    """The p is the share of all choices of signs whose sum is as far from 0, counted one by one."""
    sums = [
        abs(sum(sign * size for sign, size in zip(signs, net, strict=True)))
        for signs in product((-1, 1), repeat=len(net))
    ]
    assert sign_flip(net) == pytest.approx(np.mean([total >= abs(sum(net)) for total in sums]), abs=1e-12)


def test_by_hand() -> None:
    """Five networks that all lost: 2 of 32 choices of signs. One network proves nothing, however large; no change, nothing either."""
    assert sign_flip([-1, -7, -2, -1, -30]) == pytest.approx(2 / 32) and least(5) == 2 / 32
    assert sign_flip([-3000]) == sign_flip([]) == sign_flip([0, 0]) == least(1) == least(0) == 1


def test_single_services_are_mcnemars_test() -> None:
    """Where each network has one service, it is the exact test of McNemar."""
    assert sign_flip([1] * 5 + [-1] * 15) == pytest.approx(float(change(80, 5, 15).p_growth), abs=1e-12)


def test_many_large_networks() -> None:
    """Two thousand networks of up to fifty services have the p of the normal distribution that their sum is near."""
    net = np.resize(np.arange(1, 51), 2000) * np.where(np.arange(2000) % 2, 1, -1)
    spread = np.sqrt((net.astype(float) ** 2).sum())
    turned = net.copy()
    turned[: np.searchsorted(np.cumsum(2 * np.abs(net) * (net < 0)), 2 * spread - net.sum())] = np.abs(
        net[: np.searchsorted(np.cumsum(2 * np.abs(net) * (net < 0)), 2 * spread - net.sum())]
    )
    assert turned.sum() / spread == pytest.approx(2, abs=0.05)
    assert sign_flip(turned) == pytest.approx(0.0455, abs=0.006)


def test_networks_that_change_together_are_no_growth() -> None:
    """Where networks switch as wholes and none grows or shrinks on the whole, at most 6 of 100 worlds show a change; McNemar's test
    shows one in over half.
    """
    draw = np.random.default_rng(9)
    net = EACH * draw.choice([-1, 1, 0, 0, 0, 0, 0, 0], (WORLDS, NETWORKS))
    assert np.mean([sign_flip(world) < 0.05 for world in net]) <= 0.06
    came, went = (np.maximum(side * net, 0).sum(axis=1) for side in (1, -1))
    assert np.mean(change(NETWORKS * EACH, came, went).p_growth < 0.05) > 0.5


def test_a_fall_in_many_networks_is_shown() -> None:
    """Where each of 40 networks loses a tenth of its services and gains half as many, nine of ten worlds show it."""
    draw = np.random.default_rng(4)
    net = draw.binomial(EACH, 0.05, (300, NETWORKS)) - draw.binomial(EACH, 0.1, (300, NETWORKS))
    assert np.mean([sign_flip(world) < 0.05 for world in net]) >= 0.9
