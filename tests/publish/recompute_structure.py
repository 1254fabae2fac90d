"""Rates, concentration, ages of software, bounds and transitions of a sweep of the history, recomputed in plain Python."""

import csv
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pipeline import checkout
from tests.publish import exact
from tests.publish.history import Host, Sweep, history, second

Row = dict[str, Any]


def with_all(rows: dict[str | None, Any], make: Callable[[Any], Row], everything: Any) -> list[Row]:
    """A row for each country, and one of all."""
    own = [{"of_all": False, "country": country} | make(part) for country, part in rows.items()]
    return [*own, {"of_all": True, "country": None} | make(everything)]


def rates(sweep: Sweep, probed: dict[str | None, int], decoy: Callable[[Host], bool]) -> list[Row]:
    """Every address of the history is announced."""
    answered: dict[str | None, set[int]] = defaultdict(set)
    for number, _, _, country in sweep.others:
        answered[country].add(number)
    for host in sweep.seen:
        answered[host.country].add(host.ip)
    seen = {host.ip: host.country for host in sweep.seen}
    for country, addresses in answered.items():
        answered[country] = {number for number in addresses if seen.get(number, country) == country}

    def made(part: set[str | None]) -> Row:
        hosts = [host for host in sweep.seen if host.country in part]
        every, own = ({h.ip for h in some} for some in (hosts, [h for h in hosts if not decoy(h)]))
        among, responsive = sum(probed[place] for place in part), sum(len(answered[place]) for place in part)
        return {
            "services": len(hosts), "undoubted": sum(not decoy(h) for h in hosts), "addresses": len(every),
            "addresses_undoubted": len(own), "addresses_probed": among, "announced": among, "responsive": responsive,
            "per_million": 1e6 * len(every) / among, "per_million_announced": 1e6 * len(every) / among,
            "per_million_responsive": 1e6 * len(every) / responsive, "undoubted_per_announced": 1e6 * len(own) / among,
            "undoubted_per_responsive": 1e6 * len(own) / responsive,
        }  # fmt: skip

    return with_all({place: {place} for place in probed}, made, set(probed))


def concentration(sweep: Sweep, decoy: Callable[[Host], bool]) -> list[Row]:
    of: dict[str | None, list[Host]] = defaultdict(list)
    for host in sweep.seen:
        of[host.country].append(host)

    def made(hosts: list[Host]) -> Row:
        own = [host for host in hosts if not decoy(host)]
        alike = sorted(Counter((h.product, h.outcome, h.rejection) for h in own).values(), reverse=True)
        networks = Counter(h.network for h in own).values()
        return {
            "services": len(hosts), "undoubted": len(own), "configurations": len(alike), "largest": alike[0],
            "ten_largest": sum(alike[:10]), "largest_share": alike[0] / len(own), "ten_largest_share": sum(alike[:10]) / len(own),
            "effective_networks": len(own) ** 2 / sum(n * n for n in networks), "without_largest": len(own) - max(networks),
        }  # fmt: skip

    of = {country: hosts for country, hosts in of.items() if not all(map(decoy, hosts))}  # type: ignore[assignment]
    return with_all(of, made, list(sweep.seen))


@cache
def released() -> dict[tuple[str, str], datetime]:
    """Toolkit and version → when it was released."""
    with (checkout.REFERENCE / "releases.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["toolkit"], row["version"]): datetime.fromisoformat(row["released"]).replace(tzinfo=UTC)
            for row in csv.DictReader(file)
        }


def software_ages(sweep: Sweep, decoy: Callable[[Host], bool]) -> list[Row]:
    """Who accepts declares a toolkit and its version, and all of these have a date."""
    of: dict[str | None, list[Host]] = defaultdict(list)
    for host in sweep.seen:
        of[host.country].append(host)

    def made(hosts: list[Host]) -> Row:
        own = [host for host in hosts if not decoy(host)]
        ages = [(sweep.started - released()[h.product[2:]]).total_seconds() / 86400 / 365.25 for h in own if h.product]
        older = sum(age > 5 for age in ages)
        low, high = exact.wilson(older, len(ages)) if ages else (None, None)
        return {
            "services": len(hosts), "undoubted": len(own), "dated": len(ages), "undated": len(own) - len(ages),
            "median_age": statistics.median(ages) if ages else None, "older": older,
            "older_share": older / len(ages) if ages else None, "older_share_low": low, "older_share_high": high,
        }  # fmt: skip

    shown = {country: hosts for country, hosts in of.items() if not all(map(decoy, hosts))}
    return with_all(shown, made, list(sweep.seen))


def stayers(sweep: Sweep) -> list[Row]:
    """No host of the history changes how it answers."""
    run = [s for s in history() if (s.name, s.method) == (sweep.name, sweep.method) and s.week < sweep.week]
    before = {(host.ip, host.port) for host in run[-1].seen} if run else set()
    again: dict[str | None, list[Host]] = defaultdict(list)
    for host in sweep.seen:
        if (host.ip, host.port) in before:
            again[host.country].append(host)
    none = dict.fromkeys(("opened", "closed", "renewed", "replaced", "tls_adopted"), 0)
    everything = [host for hosts in again.values() for host in hosts]
    return with_all(again, lambda hosts: {"stayed": len(hosts)} | none, everything) if again else []


def country_bounds(sweep: Sweep, probed: dict[str | None, int]) -> list[Row]:
    rows = []
    for country in probed:
        first = {(h.ip, h.port) for h in sweep.seen if h.country == country}
        other = {(h.ip, h.port) for h in sweep.seen if second(h.ip) == country}
        rows.append(
            {"country": country, "services": len(first), "least": len(first & other), "most": len(first | other)}
        )
    return rows


def as_published(sweep: Sweep, decoy: Callable[[Host], bool]) -> list[Row]:
    """Each study's rule over the hosts of the history; its ports were probed, and the United Kingdom was."""
    with (checkout.REFERENCE / "published.csv").open(encoding="utf-8", newline="") as file:
        return [_as_published(sweep, row, decoy) for row in csv.DictReader(file)]


def _as_published(sweep: Sweep, row: dict[str, str], decoy: Callable[[Host], bool]) -> Row:
    rules: dict[str, Callable[[Host], bool]] = {
        "spoke": lambda host: True,
        "accepted": lambda host: host.outcome.startswith(("accepted", "echoed")),
        "undoubted": lambda host: not decoy(host),
    }
    at, country = row["port"], row["country"] or None
    if row["counted_as"] == "responded":
        seen = [(h.ip, h.port, h.country) for h in sweep.seen] + [(o[0], o[1], o[3]) for o in sweep.others]
        places = {h.ip: h.country for h in sweep.seen}
        seen = [(number, port, places.get(number, place)) for number, port, place in seen]
    else:
        seen = [(h.ip, h.port, h.country) for h in sweep.seen if rules[row["counted_as"]](h)]
    found = {(number, port) for number, port, place in seen if at in ("", str(port)) and country in (None, place)}
    counted = len({number for number, _ in found} if row["unit"] == "addresses" else found)
    return row | {
        "published": int(row["published"]), "port": int(at) if at else None, "country": country, "counted": counted,
        "published_count": int(row["published_count"]), "at_least": row["at_least"] == "true",
    }  # fmt: skip
