"""The statistics of a report by brute force, with whole numbers, binomial sums and loops, and without the program's code."""

import math
from functools import cache
from statistics import NormalDist
from typing import Any, NamedTuple

TAIL = 0.025
Z = NormalDist().inv_cdf(0.975)
Chance = tuple[float, float, float]


class Look(NamedTuple):
    """How many hosts both looks saw, and how many the second one did; or numbers that say as much, if not `counted`."""

    both: float
    second: float
    counted: bool = True


#: The services that came and went in each network.
Flows = list[tuple[int, int]]


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


def whole_score(k: float, f: float) -> tuple[float, float]:
    """The limits of a total of which a sample of share f has k, by the score test."""
    a = Z * Z * (1 - f)
    low = max(k, (2 * k - 1 + a - math.sqrt(max(0, a * (4 * k - 2 + a)))) / (2 * f)) if k else 0.0
    return low, float(math.ceil((2 * k + a + math.sqrt(a * (4 * k + a))) / (2 * f)))


#: The nine points of Gauss and Hermite for the density exp(-x²/2), and their weights, from Abramowitz and Stegun's table 25.10
#: (points times √2, weights over √π).
NODES = (0.0, 1.023255663789133, 2.076847978677830, 3.205429002856470, 4.512745863399783)
WEIGHTS = (0.4063492063492063, 0.2440975028949394, 0.04991640676521788, 0.002789141321231769, 2.23458440077466e-05)


def chances(look: Look) -> list[tuple[float, float]]:
    """The chances that second looks allow, as ends of Wilson's interval at so many standard errors, with their weights."""
    k, n, _ = look
    points = [(side * x, w) for x, w in zip(NODES, WEIGHTS, strict=True) for side in ((-1, 1) if x else (1,))]
    return [((k + x * x / 2 + x * math.sqrt(k * (n - k) / n + x * x / 4)) / (n + x * x), w) for x, w in points]


def change(
    stayed: int, flows: Flows, looks: tuple[Look, Look], alike: tuple[Look, Look], compared: int
) -> dict[str, Any]:
    """The new and gone services that loss explains, the net numbers that are left, the turnover, and the tests, by looks alike."""
    came, went = (sum(flow[side] for flow in flows) for side in (0, 1))
    row: dict[str, Any] = {"stayed": stayed, "came": came, "went": went}
    first, second = map(chance, looks)
    for noun, seen, (q, q_low, q_high) in (("new", came, first), ("gone", went, second)):
        low, high = whole(stayed, (q, q_low, q_high))
        by_loss = stayed / q - stayed
        ends = (seen - by_loss, seen - (high - stayed), seen - (low - stayed))
        net, least, greatest = (min(max(end, 0), seen) for end in ends)
        row |= {f"{noun}_by_loss": by_loss, f"{noun}_net": net, f"{noun}_low": least, f"{noun}_high": greatest}
    row |= turnover(stayed, came + went, first, second)
    row |= {"networks_changed": len(flows), "in_one_network": max((sum(flow) for flow in flows), default=0)}
    row["p_growth"] = max(growth(stayed, came, went, *alike), flipped([a - b for a, b in flows]))
    least = min(growth(stayed, came + went, 0, *alike), growth(stayed, 0, came + went, *alike))
    least = max(least, flipped([1] * len(flows)))
    return row | {"flag": "few" if least >= TAIL * 2 / compared else None}


def turnover(stayed: int, moved: int, first: Chance, second: Chance) -> dict[str, float]:
    d, (d_low, d_high) = moved / (stayed + moved), clopper_pearson(moved, stayed + moved)
    odds, most, least = ((1 - a) / a + (1 - b) / b for a, b in zip(first, second, strict=True))
    value = d - (1 - d) * odds
    below = math.hypot((1 + odds) * (d - d_low), (1 - d) * (most - odds))
    above = math.hypot((1 + odds) * (d_high - d), (1 - d) * (odds - least))
    ends = {"turnover": value, "turnover_low": value - below, "turnover_high": value + above}
    return {name: min(1.0, max(0.0, end)) for name, end in ends.items()}


@cache
def growth(stayed: int, came: int, went: int, then: Look, now: Look) -> float:
    """McNemar's test, averaged over the chances that the second looks allow; the larger p of loss alone, and of loss and turnover."""
    p = []
    for part in (0, 1):
        less = more = 0.0
        for a, v in chances(then):
            for b, w in chances(now):
                lost_new, lost_gone = stayed * (1 - a) / a, stayed * (1 - b) / b
                real = part * max(0.0, came + went - lost_new - lost_gone) / 2
                total = lost_new + lost_gone + 2 * real
                share = (lost_new + real) / total if total else 0.5
                less += v * w * at_most(came, came + went, share)
                more += v * w * at_least(came, came + went, share)
        p.append(min(1.0, 2 * min(less, more)))
    return max(p)


def flipped(net: list[int]) -> float:
    """The share of all choices of signs of these numbers whose sum is as far from 0; sum by sum."""
    sums = {0: 1.0}
    for size in net:
        following: dict[int, float] = {}
        for total, chance in sums.items():
            for end in (total - size, total + size):
                following[end] = following.get(end, 0.0) + chance / 2
        sums = following
    return sum(chance for total, chance in sums.items() if abs(total) >= abs(sum(net)))


def holm(p: list[float]) -> list[float]:
    """Each p times how many are not smaller, never below that of a smaller one."""
    steps = sorted(p)
    return [max(min(1.0, other * (len(p) - place)) for place, other in enumerate(steps) if other <= mine) for mine in p]


def chance(look: Look) -> Chance:
    k, n, counted = look
    return (k / n, *(clopper_pearson(int(k), int(n)) if counted else beta_ends(k, n - k)))


@cache
def beta_ends(a: float, b: float) -> tuple[float, float]:
    """The points of a beta distribution with 2.5 % below and above, by the power series of the part above, near 1."""
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))

    def above(x: float) -> float:
        y, power, total = 1 - x, (1 - x) ** b, 0.0
        for place in range(2000):
            total += power / (b + place)
            power *= (place + 1 - a) / (place + 1) * y
        return scale * total

    return _halve(lambda x: x < 0.7 or above(x) > 1 - TAIL), _halve(lambda x: x < 0.7 or above(x) > TAIL)


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
