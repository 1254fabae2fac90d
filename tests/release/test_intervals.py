"""The intervals of the bundle, which is plain Python, and those of the program."""

import numpy as np
import pytest

from pipeline.release import intervals
from pipeline.statistics import abundance, interval
from pipeline.statistics.interval import Interval
from pipeline.statistics.looks import looks


@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (10, 10), (1, 3), (87, 90), (577, 600), (9_812, 10_000), (999_000, 1_000_000)]
)
def test_shares_are_alike(k: int, n: int) -> None:
    """Clopper and Pearson's interval is that of the program, from no trial lost to a million trials."""
    ours = interval.share(k, n)
    assert intervals.share(k, n) == pytest.approx(
        (float(ours.value), float(ours.low), float(ours.high)), rel=1e-7, abs=1e-9
    )


@pytest.mark.parametrize(
    "chance", [(1.0, 1.0, 1.0), (0.96, 0.94, 0.975), (0.5, 0.4, 0.6), (0.01, 0.01, 0.01), (0.9, 0.8, 1.0)]
)
@pytest.mark.parametrize("k", [0, 1, 4, 57, 1_234, 45_678])
def test_totals_are_alike(k: int, chance: tuple[float, float, float]) -> None:
    """The number of services that a count stands for, and its ends, are those of the program."""
    ours = abundance.abundance(k, Interval(*(np.asarray(end) for end in chance)))
    mine = intervals.whole(k, chance)
    assert mine == pytest.approx((float(ours.value), float(ours.low), float(ours.high)), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("kept", "lost"), [(98.0, 2.0), (52.3, 0.7), (9.5, 0.5), (1e5, 2e3)])
def test_inferred_detections_are_alike(kept: float, lost: float) -> None:
    """A detection that is known as well as by so many looks has the program's interval."""
    ours = looks(kept, kept + lost, counted=False).detection()
    assert intervals.known_by(kept, lost) == pytest.approx(
        (float(ours.value), float(ours.low), float(ours.high)), rel=1e-7
    )


def test_beta_is_a_distribution() -> None:
    """The incomplete beta function is 0 below and 1 above, and a binomial's tail by its definition."""
    assert intervals.beta(-1, 2, 3) == 0 and intervals.beta(2, 2, 3) == 1
    assert intervals.at_least(2, 3, 0.5) == pytest.approx(0.5)
    assert intervals.at_least(0, 3, 0.5) == 1 and intervals.at_least(4, 3, 0.5) == 0
