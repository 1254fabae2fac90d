"""Structure in the order of the addresses, by number of rounds: `python -m benchmarks.permutation_quality [--keys N]`.

Each line is a test statistic that is standard normal for a random permutation, combined over many keys by Stouffer's
method; |z| over 4 shows structure. Chi-squared values become normal by Wilson and Hilferty (PNAS 17, 1931).
"""

import argparse
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.space.permutation import ROUNDS, Permutation

#: About the size of the public IPv4 space.
SIZE = 3_702_258_432
PREFIX = 1 << 20
Order = NDArray[np.int64]


def chi_squared(counts: NDArray[np.integer], expected: float) -> float:
    """The z-value of the counts of equally likely cells."""
    freedom = len(counts) - 1
    statistic = float(((counts - expected) ** 2 / expected).sum())
    spread = 2 / (9 * freedom)
    return float(((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


def cells(values: Order, size: int, number: int) -> float:
    """The z-value of a uniform distribution of values in [0, size) over equal parts."""
    return chi_squared(np.bincount(values * number // size, minlength=number), len(values) / number)


def eights(order: Order, _other: Order, size: int) -> float:
    """A prefix of the order over 256 parts, like the /8s."""
    return cells(order, size, 256)


def sixteens(order: Order, _other: Order, size: int) -> float:
    """A prefix of the order over 65,536 parts, like the /16s."""
    return cells(order, size, 65536)


def steps(order: Order, _other: Order, size: int) -> float:
    """The differences of successive values, over 256 parts."""
    return cells(np.diff(order) % size, size, 256)


def second_steps(order: Order, _other: Order, size: int) -> float:
    """The differences of values 256 apart in the order, over 256 parts."""
    return cells((order[256:] - order[:-256]) % size, size, 256)


def neighbours(order: Order, _other: Order, size: int) -> float:
    """How often two successive values are in one block of 65,536, compared with chance (a Poisson count, as a z-value)."""
    together = int(np.count_nonzero(np.diff(order >> 16) == 0))
    expected = (len(order) - 1) * 65536 / size
    return (together - expected) / math.sqrt(expected)


def keys_apart(order: Order, other: Order, size: int) -> float:
    """The differences between the orders of two neighbouring seeds, over 256 parts."""
    return cells((order - other) % size, size, 256)


def keys_correlate(order: Order, other: Order, _size: int) -> float:
    """The correlation of the orders of two neighbouring seeds."""
    return float(np.corrcoef(order, other)[0, 1] * math.sqrt(len(order)))


TESTS: dict[str, Callable[[Order, Order, int], float]] = {
    "prefix over /8s": eights,
    "prefix over /16s": sixteens,
    "successive differences": steps,
    "differences at 256": second_steps,
    "successive in one /16": neighbours,
    "neighbouring seeds, differences": keys_apart,
    "neighbouring seeds, correlation": keys_correlate,
}


def scores(name: str, rounds: int, keys: int, *, size: int = SIZE, prefix: int = PREFIX) -> Iterator[float]:
    """The z-values of a test, one per key."""
    index = np.arange(prefix)
    orders = (Permutation.seeded(size, seed, rounds=rounds).forward(index).astype(np.int64) for seed in range(keys + 1))
    before = next(orders)
    for order in orders:
        yield TESTS[name](before, order, size)
        before = order


def combined(values: list[float]) -> float:
    """Stouffer's combination of independent z-values."""
    return sum(values) / math.sqrt(len(values))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=16)
    keys = parser.parse_args().keys
    numbers = (2, 3, 4, 5, 6, 8)
    print(f"{'z-value by rounds (in use: ' + str(ROUNDS) + ')':<36}" + "".join(f"{n:>10}" for n in numbers))
    for name in TESTS:
        row = (combined(list(scores(name, rounds, keys))) for rounds in numbers)
        print(f"{name:<36}" + "".join(f"{z:>10.1f}" for z in row), flush=True)


if __name__ == "__main__":
    main()
