"""Change between two sweeps."""

import math

import numpy as np
import pytest

from pipeline.statistics.change import change, growth, holm, least_shown
from pipeline.statistics.looks import looks

WORLDS = 2000


def split(there: int, before: float, after: float, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Simulated pairs of lossy sweeps of services that stay: seen by both, only by the first, only by the second."""
    odds = [before * after, before * (1 - after), (1 - before) * after, (1 - before) * (1 - after)]
    both, first, second, _ = draw.multinomial(there, odds, WORLDS).T
    return both, first, second


def test_mcnemar_by_hand() -> None:
    """5 appeared and 15 disappeared: the exact test is twice the binomial tail, 0.0414."""
    tail = sum(math.comb(20, i) for i in range(6)) / 2**20
    assert change(80, 5, 15).p_growth == pytest.approx(2 * tail, abs=1e-12)
    assert change(80, 0, 0).p_growth == 1


def test_without_loss_every_discordant_one_counts() -> None:
    """Without loss, a service that was not detected did not exist; the turnover is the share of those seen only once."""
    result = change(100, 3, 7)
    assert (result.new.value, result.new.low, result.new.high) == (3, 3, 3)
    assert (result.gone.value, result.gone.low, result.gone.high) == (7, 7, 7)
    assert (result.new_by_loss, result.gone_by_loss) == (0, 0)
    assert result.turnover.value == pytest.approx(10 / 110) and 0.04 < result.turnover.low < result.turnover.high < 0.17


def test_an_unknown_loss_explains_anything() -> None:
    """Where the loss of a sweep is not known, no number of new or gone services is estimated: it may be none, or all."""
    result = change(2000, 1, 3, before=None, after=looks(50, 50))
    assert np.isnan([result.new.value, result.new_by_loss, result.turnover.value]).all()
    assert (result.new.low, result.new.high, result.turnover.low) == (0, 1, 0)
    assert result.p_growth == pytest.approx(0.625)


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
    both, only_first, only_second = split(there, before, after, draw)
    first, second = (p if known else looks(draw.binomial(500, p, WORLDS), 500) for p in (before, after))
    result = change(both, new + only_second, gone + only_first, before=first, after=second)
    for truth, estimate in ((gone, result.gone), (new, result.new)):
        assert np.mean((estimate.low <= truth) & (truth <= estimate.high)) >= 0.94


def test_the_turnover_is_covered() -> None:
    """Where each service of a sweep ends or begins with some probability, the interval contains the turnover in 94 of 100 worlds."""
    draw = np.random.default_rng(6)
    seen, moves, there = 0.97, 0.1, 500
    moved = draw.binomial(there, moves, WORLDS)
    both, only_first, only_second = np.array([draw.multinomial(n, [seen**2, seen - seen**2, seen - seen**2, (1 - seen) ** 2])[:3]
                                              for n in there - moved]).T  # fmt: skip
    once = draw.binomial(moved, seen)
    first, second = (looks(draw.binomial(600, seen, WORLDS), 600) for _ in range(2))
    result = change(both, only_second + once, only_first, before=first, after=second).turnover
    truth = moves * seen / (moves * seen + (1 - moves) * (1 - (1 - seen) ** 2))
    assert np.mean((result.low <= truth) & (truth <= result.high)) >= 0.94


@pytest.mark.parametrize(("before", "after"), [(0.95, 0.95), (0.99, 0.9)])
def test_loss_alone_is_no_growth(before: float, after: float) -> None:
    """Without real change, the test at 5 % rejects in at most 6 of 100 worlds, even if one sweep lost more."""
    both, gone, new = split(500, before, after, np.random.default_rng(9))
    assert np.mean(growth(both, new, gone, before, after) < 0.05) <= 0.06


@pytest.mark.parametrize(("there", "second_looks"), [(2000, 580), (15_000, 5000), (100, 20), (100, 87)])
def test_few_second_looks_are_no_certainty(there: int, second_looks: int) -> None:
    """If loss is known from a few second looks alone, what loss explains is called a growth or fall as seldom as claimed."""
    draw = np.random.default_rng(3)
    both, gone, new = split(there, 0.97, 0.97, draw)
    before, after = (looks(draw.binomial(second_looks, 0.97, WORLDS), second_looks) for _ in range(2))
    assert np.mean(growth(both, new, gone, before, after) < 0.05) <= 0.06


def test_a_real_fall_is_detected() -> None:
    """A tenth of a thousand services gone, at 2 % loss: the test rejects clearly."""
    seen = looks(4900, 5000)
    result = change(870, 18, 112, before=seen, after=seen)
    assert result.p_growth < 1e-6 and result.gone.low > 70


def test_too_few_can_show_nothing() -> None:
    """12 services that all went have a p of 0.0005, too large for one of 200 countries; with 13 it is small enough."""
    least = change([50, 50], [6, 6], [6, 7]).p_least
    assert least[0] == pytest.approx(2 / 2**12) and least[0] > 0.05 / 200 > least[1]


def test_the_smallest_change_that_would_show() -> None:
    """Of 20 discordant services 15 against 5 shows a change at 5 %, 14 against 6 does not; of 3 none does."""
    assert least_shown(100, 20, 1.0, 1.0, 0.05) == 10
    assert float(growth(100, 15, 5, 1.0, 1.0)) < 0.05 < float(growth(100, 14, 6, 1.0, 1.0))
    assert least_shown(100, 3, 1.0, 1.0, 0.05) == 4


def test_holm_by_hand() -> None:
    """The smallest of three p counts three times, the next twice, and none is smaller than one before it."""
    assert holm([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]).tolist() == []
