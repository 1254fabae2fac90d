"""The report's intervals, in plain Python: part of every bundle, so that nothing but DuckDB is needed to compute them again.

Written apart from `pipeline.statistics`, by the same definitions (docs/statistics.md): a test compares both.
"""

import math
from collections.abc import Callable

TAIL = 0.025
#: A probability, with the ends of its 95 % interval.
Chance = tuple[float, float, float]
STEPS, SMALLEST = 300, 1e-300


def beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    value, numerator, denominator = 1.0, 1.0, 0.0
    for step in range(STEPS * 10):
        m = step // 2
        if step == 0:
            term = 1.0
        elif step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominator = 1 / (_away(1 + term * denominator))
        numerator = _away(1 + term / numerator)
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < 1e-15:
            break
    return front * (value - 1)


def _away(value: float) -> float:
    """The value, kept away from zero."""
    return value if abs(value) > SMALLEST else SMALLEST


def at_least(k: float, n: float, p: float) -> float:
    """The probability of k or more successes in n trials."""
    if k <= 0:
        return 1.0
    return beta(p, k, n - k + 1) if k <= n else 0.0


def share(k: int, n: int) -> Chance:
    """The share of k in n, with the interval of Clopper and Pearson."""
    low = _root(lambda p: at_least(k, n, p) >= TAIL, 0, 1) if k else 0.0
    high = _root(lambda p: 1 - at_least(k + 1, n, p) <= TAIL, 0, 1) if k < n else 1.0
    return k / n, low, high


def known_by(kept: float, lost: float) -> Chance:
    """A detection that is known as well as by so many looks: the mean of a beta distribution, and its middle 95 %."""
    low = _root(lambda p: beta(p, kept, lost) >= TAIL, 0, 1)
    high = _root(lambda p: beta(p, kept, lost) >= 1 - TAIL, 0, 1)
    return kept / (kept + lost), low, high


def _root(reached: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition begins to hold, by bisection."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return (low + high) / 2


def whole(k: float, chance: Chance) -> Chance:
    """How many there are, of which k were seen with this chance, and the 95 % interval (MOVER, Donner and Zou 2012)."""
    value, least, most = chance
    largest = (k + 20 + 25 * math.sqrt(k + 20)) / least
    if not k:
        return 0.0, 0.0, _most(0, least, largest)
    estimate = k / value
    fewest = max(k, math.ceil(_root(lambda n: at_least(k, n, value) > TAIL, k, largest) - 1e-9))
    greatest = _most(k, value, largest)
    below = math.hypot(math.log(estimate / fewest), math.log(most / value))
    above = math.hypot(math.log(greatest / estimate), math.log(value / least))
    low = estimate * math.exp(-below) if most > value else fewest
    high = estimate * math.exp(above) if least < value else greatest
    return estimate, max(k, low), high


def _most(k: float, chance: float, largest: float) -> float:
    """The largest number of which k or fewer may be seen."""
    root = _root(lambda n: 1 - at_least(k + 1, n, chance) <= TAIL, k, largest)
    return max(k, math.ceil(root - 1e-9) - 1)
