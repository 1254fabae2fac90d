"""The loss of services by country, recomputed from the history in plain Python: the formulas of docs/statistics.md."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.publish import exact
from tests.publish.exact import Look
from tests.publish.history import TWICE, Sweep, history

Row = dict[str, Any]
Place = str | None
#: The country of the row that is about all countries together.
ALL = "all"


@dataclass
class Counts:
    """Of the hosts that a look found, how many there are, and how many the first SYN found too; of all hosts, and of services."""

    hosts: int = 0
    again: int = 0
    services: int = 0
    services_again: int = 0


def took(sweep: Sweep) -> list[tuple[tuple[Place, str], bool, bool, bool]]:
    """Of each host with a second SYN that took our request: country and network, whether it is a service, and what it answered."""
    services = {(host.ip, host.port): host for host in sweep.seen}
    at = {host.ip: host for host in sweep.seen}
    others = {row[:2]: row for row in sweep.others}
    found = []
    for number, port, first, second in sweep.looks:
        outcome = services[number, port].outcome if (number, port) in services else others[number, port][2]
        if outcome in ("unacknowledged", "zero_window", "reset", "closed"):
            continue
        host = at.get(number)
        where = (host.country, f"AS{host.network[0]}") if host else (others[number, port][3], f"/24 {number >> 8}")
        found.append((where, (number, port) in services, first, second))
    return found


@cache
def rows(sweep: Sweep) -> dict[Place, Row]:
    """Mart `country_loss` of a sweep by country; empty without second SYNs."""
    of: dict[tuple[Place, str], Counts] = defaultdict(Counts)
    for where, is_service, first, second in took(sweep):
        if second:
            counts = of[where]
            counts.hosts, counts.again = counts.hosts + 1, counts.again + first
            counts.services += is_service
            counts.services_again += is_service and first
    if not of:
        return {}
    services = Counter(host.country for host in sweep.seen)
    countries = {country for country, _ in of} | services.keys()
    parts = {c: [counts for (country, _), counts in of.items() if country == c] for c in countries}
    hosts = {c: sum(counts.hosts for counts in each) for c, each in parts.items()}
    again = {c: sum(counts.again for counts in each) for c, each in parts.items()}
    between = within = 0.0
    for country, each in parts.items():
        lost = 1 - again[country] / hosts[country] if hosts[country] else 0.0
        between += sum((counts.hosts - counts.again - lost * counts.hosts) ** 2 for counts in each)
        within += lost * again[country]
    effect = max(1.0, between / within) if within else 1.0
    every, missed = sum(hosts.values()), sum(hosts.values()) - sum(again.values())
    found = _countries(hosts, again, services, effect, (missed + 0.5) / (every + 1))
    looked = sum(counts.services for counts in of.values())
    seen = sum(counts.services_again for counts in of.values())
    more, expected = (looked - seen) / effect, looked * found[ALL]["mean"] / effect
    for row in found.values():
        row |= {"missed": more, "expected": expected}
        row |= _services(row["mean"], row["variance"], (1 + more) / (1 + expected), 1 / (1 + more))
    counts = {"services_looked": looked, "services_again": seen, "ratio": (1 + more) / (1 + expected)}
    for country, row in found.items():
        row |= counts if country == ALL else dict.fromkeys(counts)
        own = (sum(d.values()) if country == ALL else d.get(country, 0) for d in (services, hosts, again))
        row |= dict(zip(("services", "hosts", "hosts_again"), own, strict=True)) | {"design_effect": effect}
    return found


def _countries(
    hosts: dict[Place, int], again: dict[Place, int], services: Counter[Place], effect: float, rate: float
) -> dict[Place, Row]:
    """The loss of each country's hosts, drawn to that of all, and of all countries together, weighted by their services."""
    looks = {country: number / effect for country, number in hosts.items()}
    missed = {country: (hosts[country] - again[country]) / effect for country in hosts}
    every, noise = sum(looks.values()), rate * (1 - rate)
    with_hosts = [(looks[c] / every, looks[c], missed[c]) for c in hosts if hosts[c]]
    scatter = sum(w * (m / n - rate) ** 2 for w, n, m in with_hosts) - noise * sum(
        w * (1 - w) / n for w, n, _ in with_hosts
    )
    known = sum((w * (1 - w)) ** 2 * noise * (2 * noise / n**2 + (1 - 6 * noise) / n**3) for w, n, _ in with_hosts)
    spread = (scatter + math.sqrt(scatter**2 + 4 * max(0.0, known))) / 2
    most = noise * sum(w * (1 - w) * (1 - 1 / max(n, 1)) for w, n, _ in with_hosts)
    like = max(1.0, most / spread - 1 if spread else every)
    of_rate = noise / every + spread * sum(w**2 for w, _, _ in with_hosts)
    found, total = {}, services.total()
    mean = own = borrowed = 0.0
    for country, number in looks.items():
        part = like / (number + like)
        loss = (missed[country] + rate * like) / (number + like)
        alone = loss * (1 - loss) / (number + like + 1)
        found[country] = _beta(loss, alone + part**2 * of_rate)
        share = services[country] / total
        mean, own, borrowed = mean + share * loss, own + share**2 * alone, borrowed + share * part
    return found | {ALL: _beta(mean, own + borrowed**2 * of_rate)}


def _beta(mean: float, variance: float) -> Row:
    number = max(0.5, mean * (1 - mean) / variance - 1)
    counts = {"host_lost": mean * number, "host_kept": (1 - mean) * number}
    return counts | {"mean": mean, "variance": mean * (1 - mean) / (number + 1)}


def _services(mean: float, variance: float, ratio: float, of_ratio: float) -> Row:
    """The loss of services whose hosts' loss has this mean and variance; of_ratio is the relative variance of the ratio."""
    part = TWICE
    once = min(0.99, ratio * mean)
    of_once = once**2 * ((1 + of_ratio) * (1 + variance / mean**2) - 1)
    lost = once * (1 - part * (1 - once))
    number = max(0.5, lost * (1 - lost) / max(1e-12, of_once * (1 - part + 2 * part * once) ** 2) - 1)
    return {"part_twice": part, "lost": lost * number, "kept": (1 - lost) * number}


def look(sweep: Sweep, country: Place) -> Look | None:
    """What second SYNs say of services in a country, or of all; None without second SYNs."""
    found = rows(sweep)
    row = found.get(country, found.get(ALL))
    return Look(row["kept"], row["lost"] + row["kept"], counted=False) if row else None


def alike(then: Sweep, now: Sweep, country: Place) -> tuple[Look, Look] | None:
    """The looks of two sweeps with one ratio, from the looks of both at services; None if one has none."""
    both = [rows(sweep) for sweep in (then, now)]
    if not all(both):
        return None
    ratio = (1 + sum(row[ALL]["missed"] for row in both)) / (1 + sum(row[ALL]["expected"] for row in both))
    found = []
    for of in both:
        row = of.get(country, of[ALL])
        known = _services(row["mean"], row["variance"], ratio, 0.0)
        found.append(Look(known["kept"], known["lost"] + known["kept"], counted=False))
    return found[0], found[1]


def country_loss(sweep: Sweep, series: list[Sweep]) -> list[Row]:
    """The mart of a sweep's series."""
    columns = (
        "services", "hosts", "hosts_again", "design_effect", "host_lost", "host_kept", "services_looked", "services_again",
        "ratio", "part_twice", "lost", "kept",
    )  # fmt: skip
    return [
        {"sweep": s.id, "of_all": country == ALL, "country": None if country == ALL else country}
        | {name: row[name] for name in columns}
        for s in series
        for country, row in rows(s).items()
    ]


def loss(series: list[Sweep]) -> list[Row]:
    """Mart `loss`: of the hosts that took our request and answered the first SYN, those that answered the second one too."""
    found = []
    for sweep in series:
        twice, _, second_only = sweep.twice
        firsts = [second for _, _, first, second in took(sweep) if first]
        if firsts:
            low, high = exact.wilson(sum(firsts), len(firsts))
            counts = {
                "seen_twice": twice,
                "seen_second": twice + second_only,
                "took": len(firsts),
                "took_twice": sum(firsts),
            }
            ends = {"detection": sum(firsts) / len(firsts), "detection_low": low, "detection_high": high}
            found.append({"sweep": sweep.id} | counts | ends)
    return found


def other_vantage(sweep: Sweep) -> Look:
    """Of the services that the other vantage of the week saw, those that this sweep saw too."""
    other = next(s for s in history() if s.week == sweep.week and s.name != sweep.name)
    theirs, ours = ({(host.ip, host.port) for host in s.seen} for s in (other, sweep))
    return Look(len(theirs & ours), len(theirs))
