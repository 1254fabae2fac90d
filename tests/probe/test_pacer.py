"""The pacer over clocks of every kind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.probe.pacer import BURST_SECONDS, SLOW_RATE, Pacer, Pause

STEPS = st.lists(st.one_of(st.floats(0, 0.02), st.floats(0, 0.0005), st.floats(0, 30)), min_size=1, max_size=200)


RATES = st.one_of(st.integers(1, SLOW_RATE), st.integers(1, 2_000_000))


@settings(deadline=None)
@given(RATES, STEPS, st.integers(1, 100_000))
def test_never_twice_the_rate(rate: int, steps: list[float], wanted: int) -> None:
    """No 10 ms have more grants than twice the rate allows (two probes at rates that allow less than one)."""
    pacer = Pacer(rate, 0.0)
    now = 0.0
    grants: list[tuple[float, int]] = []
    for step in steps:
        now += step
        grants.append((now, pacer.grant(now, wanted)))
    limit = 2 * max(1.0, rate * BURST_SECONDS) * (1 + 1e-9)
    for place, (begin, _) in enumerate(grants):
        assert sum(count for at, count in grants[place:] if at <= begin + BURST_SECONDS) <= limit


@settings(deadline=None)
@given(
    st.integers(1, 100_000),
    st.lists(st.tuples(st.floats(1, 200_000), st.floats(0.001, 0.009)), min_size=1, max_size=200),
)
def test_a_limit_holds_from_the_next_grant_on(rate: int, steps: list[tuple[float, float]]) -> None:
    """Whatever limits are set, each grant is within twice the limit of the moment, or twice the initial rate."""
    pacer, now = Pacer(rate, 0.0), 0.0
    for limit, step in steps:
        now += step
        pacer.limit(limit)
        assert pacer.rate == min(limit, rate)
        assert pacer.grant(now, 10**6) <= 2 * max(1.0, pacer.rate * BURST_SECONDS)


@settings(deadline=None)
@given(RATES, STEPS, st.integers(0, 1000))
def test_never_more_than_wanted(rate: int, steps: list[float], wanted: int) -> None:
    """No grant is negative, or larger than requested."""
    pacer = Pacer(rate, 0.0)
    now = 0.0
    for step in steps:
        now += step
        assert 0 <= pacer.grant(now, wanted) <= wanted


@pytest.mark.parametrize("stall", [0.02, 1.0, 3600.0])
def test_stall_is_not_caught_up(stall: float) -> None:
    """After a stall of any length one burst is sent, and the stall is counted."""
    pacer = Pacer(10_000, 0.0)
    assert pacer.grant(stall, 1_000_000) == 100
    assert pacer.stalls == 1
    assert pacer.grant(stall + 0.001, 1_000_000) in (9, 10)
    assert pacer.stalls == 1


@pytest.mark.parametrize("rate", [1000, 10_000, 333_333])
def test_long_run_rate(rate: int) -> None:
    """Over ten seconds of ordinary ticks the rate is reached and not exceeded."""
    pacer = Pacer(rate, 0.0)
    sent = sum(pacer.grant(tick / 1000, 10**9) for tick in range(1, 10_001))
    assert 0.999 * rate * 10 <= sent <= rate * 10


@pytest.mark.parametrize("rate", [1000, 10_000, 333_333])
def test_wait(rate: int) -> None:
    """After the wait that the pacer requests, the probes of the gap between two bursts are granted."""
    pacer = Pacer(rate, 0.0)
    wait, gap = pacer.wait(), pacer.gap
    assert wait == pytest.approx(gap)
    assert pacer.grant(wait + 1e-9, 10**9) == int(rate * gap)
    assert pacer.stalls == 0


@settings(deadline=None)
@given(st.sampled_from([500, 1_000, 1_500, SLOW_RATE]), st.lists(st.floats(0, 0.020), min_size=25, max_size=25))
def test_a_slow_sender_may_wake_late(rate: int, late: list[float]) -> None:
    """At a slow rate a sender that wakes up to 20 ms late, one time in four, loses no probe, and none of that is a stall."""
    pacer, now, sent = Pacer(rate, 0.0), 0.0, 0
    for lateness in late:
        for after in (lateness, 0.0, 0.0, 0.0):
            now += max(pacer.wait(), pacer.gap) + after
            sent += pacer.grant(now, 10**9)
    assert pacer.stalls == 0
    assert sent + pacer.tokens == pytest.approx(now * rate)


def test_a_slow_sender_wakes_seldom() -> None:
    """At a slow rate a sender that waits as it is told wakes at most 53 times a second, and at another rate 200 times."""
    for rate, most in ((1_500, 53), (SLOW_RATE, 53), (10_000, 200)):
        pacer, now, wakes = Pacer(rate, 0.0), 0.0, 0
        while now < 1.0:
            wakes += 1
            now += max(pacer.wait(), 0.001)
            pacer.grant(now, 10**9)
        assert wakes <= most + 1


@pytest.mark.parametrize("rate", [1, 10, 50, 100])
def test_slow_rates_are_reached(rate: int) -> None:
    """At a few probes a second the set rate is reached, and ordinary waits are not stalls."""
    pacer, now, sent = Pacer(rate, 0.0), 0.0, 0
    while now < 60.0:
        sent += pacer.grant(now, 10**9)
        now += max(0.001, pacer.wait())
    assert sent == pytest.approx(60 * rate, rel=0.02, abs=1)
    assert pacer.stalls == 0


def test_a_pause_is_counted_and_earns_nothing() -> None:
    """The seconds of a pause are counted as they pass; afterwards the pacer continues without a stall and without a burst."""
    pacer = Pacer(10_000, 0.0)
    pause = Pause(pacer)
    ticks = [(1.0, False), (2.0, True), (5.0, True), (9.0, False)]
    assert [pause.elapsed(now, paused=paused) for now, paused in ticks] == [0.0, 0.0, 3.0, 4.0]
    assert (pacer.grant(9.0, 10**6), pacer.stalls) == (0, 0)
    assert pause.elapsed(10.0, paused=False) == 0.0
