"""The interval of a share by Wilson (1927), as the macros `wilson_low` and `wilson_high` have it."""

import math

from pipeline.statistics.interval import z


def wilson(k: int, n: int) -> tuple[float, float]:
    """The ends of the 95 % interval of k in n trials; n is not 0."""
    half = z() ** 2 / 2
    spread = z() * math.sqrt(k * (n - k) / n + half / 2)
    low, high = ((k + half + end) / (n + 2 * half) for end in (-spread, spread))
    return (low if k else 0.0), (high if k < n else 1.0)
