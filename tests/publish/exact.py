"""The statistics of a report by brute force, with whole numbers, binomial sums and loops, and without the program's code."""

import math
from statistics import NormalDist
from typing import Any

TAIL = 0.025
Z = NormalDist().inv_cdf(0.975)
Chance = tuple[float, float, float]


def terms(n: int, p: float) -> list[float]:
    """The probabilities of 0 to n successes."""
    if p in (0.0, 1.0):
        return [float(k == n * p) for k in range(n + 1)]
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in range(n + 1)
    ]
    return [math.exp(value) for value in logs]


def at_most(k: int, n: int, p: float) -> float:
    return sum(terms(n, p)[: k + 1])


def at_least(k: int, n: int, p: float) -> float:
    return sum(terms(n, p)[k:])


def clopper_pearson(k: int, n: int) -> tuple[float, float]:
    """The limits of the shares for which k is neither too large nor too small, by bisection."""
    low = _halve(lambda p: at_least(k, n, p) < TAIL) if k else 0.0
    high = _halve(lambda p: at_most(k, n, p) >= TAIL) if k < n else 1.0
    return low, high


def _halve(below: Any) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def wilson(k: int, n: int) -> tuple[float, float]:
    p, centre, scale = k / n, k / n + Z * Z / (2 * n), 1 + Z * Z / n
    width = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return (centre - width) / scale, (centre + width) / scale


def fewest(k: int, q: float) -> int:
    return next(n for n in range(k, 10 * k + 50) if at_least(k, n, q) > TAIL)


def most(k: int, q: float) -> int:
    n = k
    while at_most(k, n + 1, q) > TAIL:
        n += 1
    return n


def whole(k: int, chance: Chance) -> tuple[float, float]:
    """The limits of a number of which k were seen with an estimated chance."""
    q, q_low, q_high = chance
    if not k:
        return 0, most(0, q_low)
    estimate = k / q
    below = math.hypot(math.log(estimate / fewest(k, q)), math.log(q_high / q))
    above = math.hypot(math.log(most(k, q) / estimate), math.log(q / q_low))
    return max(k, estimate * math.exp(-below)), estimate * math.exp(above)


def chapman(n: int, m: int, both: int) -> tuple[float, float, float]:
    value = (n + 1) * (m + 1) / (both + 1) - 1
    large, small = max(n, m), min(n, m)
    low, high = whole(small - both, (both / large, *clopper_pearson(both, large)))
    return value, min(large + low, value), max(large + high, value)


def change(stayed: int, came: int, went: int, then: Chance, now: Chance, limit: float) -> dict[str, Any]:
    """The new and gone services that loss explains, the net numbers that are left, and the two tests."""
    row: dict[str, Any] = {"stayed": stayed, "came": came, "went": went}
    for noun, seen, chance in (("new", came, then), ("gone", went, now)):
        low, high = whole(stayed, chance)
        by_loss = stayed / chance[0] - stayed
        ends = (seen - by_loss, seen - (high - stayed), seen - (low - stayed))
        net, least, greatest = (min(max(end, 0), seen) for end in ends)
        row |= {f"{noun}_by_loss": by_loss, f"{noun}_net": net, f"{noun}_low": least, f"{noun}_high": greatest}
    loss_new, loss_gone = row["new_by_loss"], row["gone_by_loss"]
    real = max(0.0, came + went - loss_new - loss_gone) / 2
    growth = max(mcnemar(came, went, loss_new + t, loss_gone + t) for t in (0.0, real))
    once = then[1] + now[1] - 2 * then[1] * now[1]
    turnover = at_least(came + went, stayed + came + went, once / (once + then[1] * now[1]))
    flag = ("up" if came > went else "down") if growth < limit else "turnover" if turnover < limit else None
    return row | {"p_growth": growth, "p_turnover": turnover, "flag": flag}


def mcnemar(came: int, went: int, expect_new: float, expect_gone: float) -> float:
    share = expect_new / (expect_new + expect_gone) if expect_new + expect_gone else 0.5
    n = came + went
    return min(1.0, 2 * min(at_most(came, n, share), at_least(came, n, share)))


def jolly_seber(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Survival from sweep to sweep with Seber's variance, step by step."""
    marked = [0.0] + [r["marked"] + (r["caught"] + 1) * r["skipped"] / (r["again"] + 1) for r in rows[1:-1]]
    found = []
    for i in range(len(marked) - 1):
        now, later = rows[i], rows[i + 1]
        known, known_later = (
            marked[i] - now["marked"] + now["caught"],
            marked[i + 1] - later["marked"] + later["caught"],
        )
        phi = marked[i + 1] / known
        lost, lost_later = 1 / now["again"] - 1 / now["caught"], 1 / later["again"] - 1 / later["caught"]
        part = (
            (marked[i + 1] - later["marked"]) * known_later / marked[i + 1] ** 2 * lost_later
            + (marked[i] - now["marked"]) / known * lost
            + (1 - phi) / marked[i + 1]
        )
        logit, width = math.log(phi / (1 - phi)), Z * math.sqrt(max(part, 0)) / (1 - phi)
        low, high = (1 / (1 + math.exp(-logit - side * width)) for side in (-1, 1))
        found.append(
            {"sweep": later["sweep"], "days": later["days"], "stays": phi, "stays_low": low, "stays_high": high}
        )
    return found
