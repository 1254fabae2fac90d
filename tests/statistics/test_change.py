"""Change between two sweeps."""

import math

import numpy as np
import pytest

from pipeline.statistics.change import change, two_sided
from pipeline.statistics.recapture import detection

WORLDS = 2000


def test_mcnemar_by_hand() -> None:
    """5 appeared and 15 disappeared: the exact test is twice the binomial tail, 0.0414."""
    tail = sum(math.comb(20, i) for i in range(6)) / 2**20
    assert change(80, 5, 15).p_growth == pytest.approx(2 * tail, abs=1e-12)
    assert two_sided(0, 0) == 1


def test_without_loss_every_discordant_one_counts() -> None:
    """Without loss, a service that was not detected did not exist."""
    result = change(100, 3, 7)
    assert (result.new.value, result.new.low, result.new.high) == (3, 3, 3)
    assert (result.gone.value, result.gone.low, result.gone.high) == (7, 7, 7)
    assert (result.new_by_loss, result.gone_by_loss, result.p_turnover) == (0, 0, 0)
    assert change(100, 0, 0).p_turnover == 1


@pytest.mark.parametrize(
    ("there", "leave", "arrive", "before", "after"),
    [(400, 20, 30, 0.97, 0.95), (60, 4, 0, 0.98, 0.98), (2000, 0, 0, 0.99, 0.9)],
)
@pytest.mark.parametrize("known", [True, False])
def test_the_net_change_is_covered(
    there: int, leave: int, arrive: int, before: float, after: float, known: bool
) -> None:
    """In simulated pairs of lossy sweeps, at least 94 of 100 intervals contain the true numbers of new and gone services."""
    draw = np.random.default_rng(5)
    gone, new = draw.binomial(leave, before, WORLDS), draw.binomial(arrive, after, WORLDS)
    odds = [before * after, before * (1 - after), (1 - before) * after, (1 - before) * (1 - after)]
    both, only_first, only_second, _ = draw.multinomial(there, odds, WORLDS).T
    looks = [p if known else detection(draw.binomial(500, p, WORLDS), 500) for p in (before, after)]
    result = change(both, new + only_second, gone + only_first, before=looks[0], after=looks[1])
    for truth, estimate in ((gone, result.gone), (new, result.new)):
        assert np.mean((estimate.low <= truth) & (truth <= estimate.high)) >= 0.94


@pytest.mark.parametrize(("before", "after"), [(0.95, 0.95), (0.99, 0.9)])
def test_loss_alone_is_no_change(before: float, after: float) -> None:
    """Without real change, each test at 5 % rejects in at most 6 of 100 worlds, even if one sweep lost more."""
    draw = np.random.default_rng(9)
    odds = [before * after, before * (1 - after), (1 - before) * after, (1 - before) * (1 - after)]
    both, gone, new, _ = draw.multinomial(500, odds, WORLDS).T
    result = change(both, new, gone, before=before, after=after)
    assert np.mean(result.p_growth < 0.05) <= 0.06 and np.mean(result.p_turnover < 0.05) <= 0.06


@pytest.mark.parametrize("looks", [20, 87, 500])
def test_few_second_looks_are_no_certainty(looks: int) -> None:
    """If loss is known from a few second looks alone, perhaps all of them seen, what loss explains is no change beyond chance."""
    draw = np.random.default_rng(3)
    seen = 0.98
    odds = [seen**2, seen * (1 - seen), (1 - seen) * seen, (1 - seen) ** 2]
    both, gone, new, _ = draw.multinomial(100, odds, WORLDS).T
    before, after = (detection(draw.binomial(looks, seen, WORLDS), looks) for _ in range(2))
    assert np.mean(change(both, new, gone, before=before, after=after).p_turnover < 0.05) <= 0.05
    all_seen = detection(87, 87)
    assert change(4, 0, 1, before=all_seen, after=all_seen).p_turnover > 0.05


def test_a_real_fall_is_detected() -> None:
    """A tenth of a thousand services gone, at 2 % loss: both tests reject clearly."""
    result = change(870, 18, 112, before=0.98, after=0.98)
    assert result.p_growth < 1e-6 and result.p_turnover < 1e-6 and result.gone.low > 70
