"""Loss of services from looks at hosts, times a ratio."""

import numpy as np
import pytest

from pipeline.statistics.service_loss import PRIOR, ServiceLooks, at_ratio, common_ratio


def test_services_are_lost_at_a_multiple_of_the_hosts_rate() -> None:
    """At twice the rate of hosts the mean doubles, and as many looks at services say as much of it as half the hosts do."""
    seen = at_ratio([20.0], [980.0], 2.0, 0.0)
    detection = seen.detection()
    assert detection.value == pytest.approx([0.96])
    assert float(seen.second[0]) == pytest.approx(1000 / 2, rel=0.05)
    assert detection.low[0] < 0.96 < detection.high[0]


def test_who_is_visited_after_either_syn_is_lost_only_if_both_are() -> None:
    """If every target gets a second SYN, the loss of a service is the square of that of one SYN; if none does, it is that of one."""
    assert at_ratio(100.0, 900.0, 1.0, 1.0).detection().value == pytest.approx(1 - 0.1**2)
    assert at_ratio(100.0, 900.0, 1.0, 0.0).detection().value == pytest.approx(0.9)


def test_the_ratio_of_several_sweeps_is_one() -> None:
    """Missed and expected services of all sweeps are added up before they are divided; without a look the ratio is 1."""
    assert common_ratio(ServiceLooks(8, 4), ServiceLooks(6, 2)) == (14 + PRIOR) / (6 + PRIOR)
    assert common_ratio(ServiceLooks(0, 0)) == 1


def test_the_moments_are_those_of_the_rate() -> None:
    """The beta distribution of the looks has the mean and the variance that the hosts' rate has, times the ratio."""
    draw = np.random.default_rng(1)
    rates = 1.5 * draw.beta(30, 970, 200_000)
    seen = at_ratio(30.0, 970.0, 1.5, 0.0)
    kept, lost = float(seen.both), float(seen.second - seen.both)
    assert lost / (kept + lost) == pytest.approx(rates.mean(), rel=0.01)
    variance = kept * lost / (kept + lost) ** 2 / (kept + lost + 1)
    assert variance == pytest.approx(rates.var(), rel=0.02)
