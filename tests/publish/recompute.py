"""A report's tables, recomputed from the history itself in plain Python, without SQL, numpy or the program's code."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tests.publish import exact, recompute_loss, recompute_structure, recompute_systems
from tests.publish.history import COMPANIONS, PLACES, PORTS, SIZE, Host, Sweep, announced, companion, history, second
from tests.publish.history import KINDS as WORLD_KINDS

Row = dict[str, Any]
Key = tuple[int, int]


def key(host: Host) -> Key:
    return host.ip, host.port


def accepts(host: Host) -> bool:
    return host.outcome.startswith("accepted")


def series(sweep: Sweep) -> list[Sweep]:
    """The sweeps of the same name and method, up to this one."""
    return [s for s in history() if (s.name, s.method) == (sweep.name, sweep.method) and s.started <= sweep.started]


def number(sweep: Sweep) -> int:
    """The number of the sweep's series, in the order of the first sweeps."""
    return list(dict.fromkeys((s.name, s.method) for s in history())).index((sweep.name, sweep.method)) + 1


def inside(sweep: Sweep, ip: int) -> bool:
    return any(first <= ip <= last for first, last in sweep.space)


def asked(sweep: Sweep) -> dict[str | None, int]:
    """Addresses of each country in the target space."""
    return {country: sum(inside(sweep, ip) for ip in range(first, first + SIZE)) for country, first, _ in PLACES}


def grouped(hosts: Iterable[Host], by: Callable[[Host], tuple[Any, ...]]) -> dict[tuple[Any, ...], list[Host]]:
    found: dict[tuple[Any, ...], list[Host]] = {}
    for host in hosts:
        found.setdefault(by(host), []).append(host)
    return found


def tally(hosts: list[Host]) -> Row:
    return {"services": len(hosts), "addresses": len({h.ip for h in hosts}), "accepting": sum(map(accepts, hosts))}


def totals(sweep: Sweep) -> list[Row]:
    whole = sum(asked(sweep).values())
    return [
        _counted(sweep, list(sweep.seen), whole)
        | {
            "countries": len({h.country for h in sweep.seen} - {None}),
            "countries_undoubted": len({h.country for h in sweep.seen if not decoy(h)} - {None}),
        }
    ]


def decoy(host: Host) -> bool:
    return host.suspicions in (("dicompot-echo",), ("prefix-same-reply",))


def genuine(hosts: list[Host]) -> list[Host]:
    """Those that are no likely decoys."""
    return [host for host in hosts if not decoy(host)]


def crowding(hosts: list[Host]) -> float | None:
    """How many services are at the address of a service, on average."""
    at = Counter(h.ip for h in hosts)
    return sum(at[h.ip] for h in hosts) / len(hosts) if hosts else None


def _counted(sweep: Sweep, hosts: list[Host], probed: int) -> Row:
    outcomes = Counter(h.outcome for h in hosts)
    row = tally(hosts)
    return row | {
        "echoed": 0 if sweep.profile == "echo" else None, "rejected": outcomes["rejected"], "aborted": outcomes["aborted"],
        "addresses_probed": probed,
        "per_million": 1e6 * row["addresses"] / probed, "per_million_low": None, "per_million_high": None,
        "services_estimated": row["services"], "addresses_estimated": row["addresses"], "addresses_low": None,
        "addresses_high": None, "services_low": None, "services_high": None,
        "decoys": sum(map(decoy, hosts)), "crowding": crowding(hosts),
    }  # fmt: skip


def countries(sweep: Sweep) -> list[Row]:
    of = grouped(sweep.seen, lambda h: (h.country,))
    moved = {row["country"]: row for row in changed(sweep)}
    rows = []
    for country, probed in asked(sweep).items():
        hosts = of.get((country,), [])
        change = moved.get(country, {}) if hosts else {}
        seen = chance(sweep, country)
        low, high = exact.whole(len(hosts), seen)
        own = genuine(hosts)
        ahead = sum(len(genuine(others)) > len(own) for (other,), others in of.items() if other)
        at = len({h.ip for h in own})
        rows.append(
            {"country": country, **_counted(sweep, hosts, probed), "undoubted": len(own), "addresses_undoubted": at}
            | {"per_million_undoubted": 1e6 * at / probed, "rank": 1 + ahead if hosts and country else None}
            | {"there": len(hosts) / seen[0], "there_low": low, "there_high": high}
            | {"came": change.get("came"), "went": change.get("went")}
            | {"change": (change["flag"] or "none") if change else None}
        )
    return rows


def country_databases(sweep: Sweep) -> list[Row]:
    visited = [n for first, last in sweep.space for n in range(first, last + 1)]
    return [
        {
            "country": country, "services": sum(h.country == country for h in sweep.seen),
            "services_second": sum(second(h.ip) == country for h in sweep.seen),
            "both": sum(h.country == country == second(h.ip) for h in sweep.seen),
            "addresses_probed": probed, "addresses_probed_second": sum(second(n) == country for n in visited),
        }
        for country, probed in asked(sweep).items()
    ]  # fmt: skip


def funnel(sweep: Sweep) -> list[Row]:
    steps = _steps(
        sweep, [*((h.outcome) for h in sweep.seen), *(row[2] for row in sweep.others)], sum(asked(sweep).values())
    )
    return [row | {"targets_estimated": row["targets"]} for row in steps]


def _steps(sweep: Sweep, outcomes: list[str], addresses: int) -> list[Row]:
    took = [o for o in outcomes if o not in ("unacknowledged", "zero_window", "reset", "closed")]
    dicom = [o for o in outcomes if o in ("accepted", "accepted_no_verification", "rejected", "aborted")]
    counts = [
        addresses * len(PORTS),
        len(outcomes),
        len(took),
        len(dicom),
        sum(o.startswith("accepted") for o in dicom),
    ]
    names = ["probed", "responsive", "accepts_data", "speaks_dicom", "accepts_association", "echoes"]
    echoes = 0 if sweep.profile == "echo" else None
    return [
        {"position": place, "step": name, "targets": count}
        for place, (name, count) in enumerate(zip(names, [*counts, echoes], strict=True), 1)
    ]


def country_funnel(sweep: Sweep) -> list[Row]:
    rows = []
    for country, addresses in asked(sweep).items():
        outcomes = [h.outcome for h in sweep.seen if h.country == country]
        outcomes += [row[2] for row in sweep.others if row[3] == country]
        rows += [{"country": country} | row for row in _steps(sweep, outcomes, addresses)]
    return rows


def outcomes(sweep: Sweep) -> list[Row]:
    found = Counter([*(h.outcome for h in sweep.seen), *(row[2] for row in sweep.others)])
    return [{"outcome": o, "targets": n, "share": n / found.total(), "targets_estimated": n} for o, n in found.items()]


def ports(sweep: Sweep) -> list[Row]:
    answered = Counter([*((h.country, h.port) for h in sweep.seen), *((row[3], row[1]) for row in sweep.others)])
    of = grouped(sweep.seen, lambda h: (h.country, h.port))
    return [
        {"country": place[0], "port": place[1], "responsive": n, "services_estimated": len(of.get(place, []))}
        | {name: value for name, value in tally(of.get(place, [])).items() if name != "addresses"}
        for place, n in answered.items()
    ]


def _product_row(hosts: list[Host]) -> Row:
    return tally(hosts) | {
        "countries": len({h.country for h in hosts} - {None}), "mismatched": 0,
        "suspected": sum(bool(h.suspicions) for h in hosts), "services_estimated": len(hosts),
        "product": None, "product_version": None, "vendor": None, "kind": None,
        "toolkit": hosts[0].product[2] if hosts[0].product else None,
        "toolkit_version": hosts[0].product[3] if hosts[0].product else None,
        "grade": "L" if hosts[0].product else None, "evidenced": bool(hosts[0].product),
        "tried": 3 if hosts[0].product else None, "wrong": 1 if hosts[0].product else None,
    }  # fmt: skip


def implementations(sweep: Sweep) -> list[Row]:
    nothing = {"class_uid_root": None, "class_uid_hash": None}
    return [_product_row(hosts) | nothing for hosts in grouped(sweep.seen, lambda h: (h.product,)).values()]


def products(sweep: Sweep) -> list[Row]:
    return [
        _product_row(hosts)
        | {"implementation_class_uid": product[0] if product else None}
        | {"implementation_version_name": product[1] if product else None}
        for (product,), hosts in grouped(sweep.seen, lambda h: (h.product,)).items()
    ]


def sectors(sweep: Sweep) -> list[Row]:
    return [
        {"country": place[0], "sector": place[1], "confidence": place[2], "services_estimated": len(hosts)}
        | tally(hosts)
        | {"networks": len({h.network for h in hosts})}
        for place, hosts in grouped(sweep.seen, lambda h: (h.country, h.network[2], h.network[3])).items()
    ]


def network_kinds(sweep: Sweep) -> list[Row]:
    rows = []
    for country, first, networks in PLACES:
        for network in networks:
            hosts = [h for h in sweep.seen if (h.country, h.network) == (country, network)]
            probed = len(announced(sweep, first, networks, network))
            rows.append(
                {"country": country, "network_kind": WORLD_KINDS[network[2]], "confidence": network[3]}
                | tally(hosts)
                | {"networks": int(bool(hosts)), "networks_probed": 1, "addresses_probed": probed}
                | {"per_million": 1e6 * len({h.ip for h in hosts}) / probed, "services_estimated": len(hosts)}
            )
    return rows


def networks(sweep: Sweep) -> list[Row]:
    """Hosting and access networks of more than 1,024 addresses by name, and the other networks of a country together."""
    rows = []
    for country, first, announcing in PLACES:
        found: dict[str, Row] = {}
        for network in announcing:
            hosts = [h for h in sweep.seen if (h.country, h.network) == (country, network)]
            size = len(announced(sweep, first, announcing, network))
            told = network[2] in ("hosting", "access") and size > 1024
            counts = tally(hosts) | {"services_estimated": len(hosts)}
            if not hosts:
                continue
            if told:
                found[network[1]] = {
                    "asn": f"AS{network[0]}",
                    "organisation": network[1],
                    "network_kind": WORLD_KINDS[network[2]],
                    "addresses_in_plan": size,
                    "addresses_probed": size,
                    "per_million": 1e6 * counts["addresses"] / size,
                } | counts
            else:
                rest = found.get("", counts | dict.fromkeys(counts, 0))
                found[""] = {
                    "asn": None,
                    "organisation": "(all other networks, merged)",
                    "network_kind": None,
                    "addresses_in_plan": None,
                    "addresses_probed": None,
                    "per_million": None,
                } | {name: rest[name] + counts[name] for name in counts}
        rows += [{"country": country} | row for row in found.values()]
    return rows


def by_country(sweep: Sweep, counts: Callable[[list[Host]], Row]) -> list[Row]:
    return [
        {"country": c, "services": len(hosts)} | counts(hosts)
        for (c,), hosts in grouped(sweep.seen, lambda h: (h.country,)).items()
    ]


def system_counts(sweep: Sweep) -> list[Row]:
    return by_country(
        sweep,
        lambda hosts: (
            {"addresses": len({h.ip for h in hosts})}
            | {
                name: len({h.ip % 2**16 // d for h in hosts})
                for name, d in (("certain", 1), ("probable", 2), ("possible", 4))
            }
        ),
    )


def ae_control(sweep: Sweep) -> list[Row]:
    def counts(hosts: list[Host]) -> Row:
        said = Counter(h.rejection for h in hosts)
        return {
            "accepting": sum(map(accepts, hosts)), "anyone": sum(map(accepts, hosts)),
            "rejected_called": said[1, 1, 7], "rejected_calling": said[1, 1, 3],
            "rejected_otherwise": said[1, 1, 1], "aborted": sum(h.outcome == "aborted" for h in hosts),
            "open_share": sum(map(accepts, hosts)) / len(hosts),
        } | _ends("open_share", sum(map(accepts, hosts)), len(hosts))  # fmt: skip

    return by_country(sweep, counts)


def _ends(name: str, k: int, n: int) -> Row:
    return dict(zip((f"{name}_low", f"{name}_high"), exact.wilson(k, n), strict=True))


def tls_share(sweep: Sweep) -> list[Row]:
    attempted = any(h.tls is not None for h in sweep.seen)

    def counts(hosts: list[Host]) -> Row:
        over = sum(h.tls == "completed" for h in hosts)
        handshakes = sum(h.tls is not None for h in hosts)
        share = over / len(hosts) if attempted else None
        return {
            "over_tls": over, "share": share, "handshakes": handshakes, "completed": over, "needs_certificate": 0,
        } | (_ends("share", over, len(hosts)) if attempted else {"share_low": None, "share_high": None})  # fmt: skip

    return by_country(sweep, counts)


KINDS = {"dicompot-echo": "honeypot", "prefix-same-reply": "answers_everything", "max-pdu-huge": "odd"}


def doubts(sweep: Sweep) -> list[Row]:
    names = ("honeypot", "answers_everything", "odd", "unsuspected")

    def counts(hosts: list[Host]) -> Row:
        found = Counter(KINDS[h.suspicions[0]] if h.suspicions else "unsuspected" for h in hosts)
        return {name: found[name] for name in names}

    return by_country(sweep, counts)


def suspicions(sweep: Sweep) -> list[Row]:
    marked = grouped([h for h in sweep.seen if h.suspicions], lambda h: (h.suspicions[0], h.country))
    return [
        {"suspicion": s, "country": c, "services": len(hosts), "addresses": len({h.ip for h in hosts})}
        | {"exposed": len(hosts), "services_estimated": len(hosts), "tried": 20, "wrong": 2}
        for (s, c), hosts in marked.items()
    ]


MEANINGS = {7: "called AE title not recognized", 3: "calling AE title not recognized", 1: "no reason given"}


def harm_arms(sweep: Sweep) -> list[Row]:
    """No sweep of the history makes a harm check."""
    return []


def companion_ports(sweep: Sweep) -> list[Row]:
    if sweep.name != "weekly":
        return []
    rows = []
    for port in COMPANIONS:
        answers = Counter(companion(number, port) for number in {host.ip for host in sweep.seen})
        probed = answers["open"] + answers["closed"] + answers["silent"]
        rows.append({
            "port": port, "port_use": {80: "HTTP", 443: "HTTPS", 2575: "HL7"}[port],
            "companion": "hl7" if port == 2575 else "web", "companions_probed": probed, "companions_open": answers["open"],
            "companions_closed": answers["closed"], "companions_silent": answers["silent"], "share": answers["open"] / probed,
        } | _ends("share", answers["open"], probed))  # fmt: skip
    return rows


def companion_kinds(sweep: Sweep) -> list[Row]:
    if sweep.name != "weekly":
        return []
    probed = [host for host in sweep.seen if companion(host.ip, 80) is not None]
    places = grouped(probed, lambda h: (h.country,))
    return [
        {"country": country} | _companions(hosts)
        for country, hosts in [("All countries", probed), *((place, hosts) for (place,), hosts in places.items())]
    ]


def _companions(hosts: list[Host]) -> Row:
    addresses = {host.ip for host in hosts}
    web = {a for a in addresses if "open" in (companion(a, 80), companion(a, 443))}
    hl7 = {a for a in addresses if companion(a, 2575) == "open"}
    counts = {
        "web": len(web),
        "hl7": len(hl7),
        "none_open": len(addresses - web - hl7),
        "companions_probed": len(addresses),
    }
    return counts | {"web_share": len(web) / len(addresses), "hl7_share": len(hl7) / len(addresses)}


def rejections(sweep: Sweep) -> list[Row]:
    found = Counter(h.rejection for h in sweep.seen if h.rejection)
    return [
        {
            "rj_result": r,
            "rj_source": s,
            "rj_reason": why,
            "meaning": MEANINGS[why],
            "services": n,
            "services_estimated": n,
        }
        for (r, s, why), n in found.items()
    ]


FATES = ("stayed", "new", "returned", "entered", "missing", "gone", "left_space", "withheld")


def fates(sweep: Sweep) -> dict[str, list[Host]]:
    """The services of each fate, by sets."""
    run = series(sweep)
    if len(run) < 2:
        return {}
    sets = [{key(h): h for h in s.seen} for s in run]
    now, before = sets[-1], sets[-2]
    ever = set().union(*sets[:-1])
    came = [h for k, h in now.items() if k not in before]
    went = [h for k, h in before.items() if k not in now]
    older = sets[-3] if len(sets) > 2 else {}
    return {
        "stayed": [h for k, h in now.items() if k in before],
        "new": [h for h in came if inside(run[-2], h.ip) and key(h) not in ever],
        "returned": [h for h in came if inside(run[-2], h.ip) and key(h) in ever],
        "entered": [h for h in came if not inside(run[-2], h.ip)],
        "missing": [h for h in went if inside(sweep, h.ip)],
        "left_space": [h for h in went if not inside(sweep, h.ip)],
        "withheld": [],
        "gone": [h for k, h in older.items() if k not in before and k not in now and inside(sweep, h.ip)],
    }


def changes(sweep: Sweep) -> list[Row]:
    found = fates(sweep)
    where = {h.country for hosts in found.values() for h in hosts}
    return [{"country": c} | {f: sum(h.country == c for h in found[f]) for f in FATES} for c in where]


def change_totals(sweep: Sweep) -> list[Row]:
    run = series(sweep)
    if len(run) < 2:
        return []
    days = (sweep.started - run[-2].started).total_seconds() / 86400
    counted = {f: len(hosts) for f, hosts in fates(sweep).items()}
    return [{"series": number(sweep), "previous": run[-2].id, "days": days} | counted]


def trend(sweep: Sweep) -> list[Row]:
    return [
        {
            "sweep": s.id,
            "name": s.name,
            "started_at": s.started,
            "series": number(s),
            "position": place,
            "sampled_share": 1,
        }
        | tally(list(s.seen))
        | {"countries": len({h.country for h in s.seen} - {None}), "services_estimated": len(s.seen)}
        | {"decoys": sum(map(decoy, s.seen))}
        for place, s in enumerate(series(sweep), 1)
    ]


def country_trend(sweep: Sweep) -> list[Row]:
    return [
        {"sweep": s.id, "started_at": s.started, "series": number(s), "position": place, "country": c, "moved_in": 0}
        | tally(hosts)
        | {"decoys": sum(map(decoy, hosts))}
        for place, s in enumerate(series(sweep), 1)
        for (c,), hosts in grouped(s.seen, lambda h: (h.country,)).items()
    ]


def steady(sweep: Sweep) -> list[tuple[Sweep, set[Key]]]:
    """The whole series, without services that ever entered or left the space."""
    run = [s for s in history() if (s.name, s.method) == (sweep.name, sweep.method)]
    moved = {key(h) for s in run for f in ("entered", "left_space") for h in fates(s).get(f, [])}
    return [(s, {key(h) for h in s.seen} - moved) for s in run]


def recaptures(sweep: Sweep) -> list[Row]:
    run = steady(sweep)
    rows = []
    for place, (s, seen) in enumerate(run):
        before = set().union(*(other for _, other in run[:place]))
        later = set().union(*(other for _, other in run[place + 1 :]))
        days = (s.started - run[place - 1][0].started).total_seconds() / 86400 if place else None
        counts = {"caught": seen, "marked": seen & before, "again": seen & later, "skipped": (before & later) - seen}
        rows.append({"sweep": s.id, "series": number(s), "position": place + 1, "days": days})
        rows[-1] |= {name: len(found) for name, found in counts.items()} | {"removed": 0}
    return rows[: len(series(sweep))]


def cohorts(sweep: Sweep) -> list[Row]:
    """What is left of the first sweep's services in each later one."""
    (first, cohort), *later = steady(sweep)[: len(series(sweep))]
    return [
        {
            "sweep": s.id,
            "series": number(s),
            "position": place,
            "days": (s.started - first.started).total_seconds() / 86400,
        }
        | {
            "cohort": len(cohort),
            "withheld": 0,
            "answered": len(seen & cohort),
            "share": len(seen & cohort) / len(cohort),
        }
        | _ends("share", len(seen & cohort), len(cohort))
        for place, (s, seen) in enumerate(later, 2)
    ]


def returns(sweep: Sweep) -> list[Row]:
    """Of the services that were in the sweep before and not in one, those that came back later."""
    run, rows = steady(sweep), []
    for place, (s, seen) in enumerate(run[:-1]):
        absent = run[place - 1][1] - seen if place else set()
        following, later = run[place + 1][1], set().union(*(other for _, other in run[place + 1 :]))
        if absent:
            back = len(absent & later)
            counts = {
                "absent": len(absent),
                "back_next": len(absent & following),
                "back_later": back,
                "back_share": back / len(absent),
            }
            rows.append(
                {"sweep": s.id, "series": number(s), "position": place + 1}
                | counts
                | _ends("back_share", back, len(absent))
            )
    return [row for row in rows if row["position"] <= len(series(sweep))]


def vantage_bounds(sweep: Sweep) -> list[Row]:
    """The history has two vantages."""
    return []


def visibility(sweep: Sweep) -> list[Row]:
    """No vantage of the history has a sweep of its own over a sample."""
    return []


def survival(sweep: Sweep) -> list[Row]:
    return exact.jolly_seber(recaptures(sweep))


def pairs(sweep: Sweep) -> list[tuple[Sweep, Sweep]]:
    """Sweeps of two vantages in one week, half an hour apart, one of them in the series of this sweep."""
    ours = {s.id for s in series(sweep)}
    return [
        (one, other)
        for one in history()
        for other in history()
        if one.week == other.week and (one.name, other.name) == ("weekly", "second") and {one.id, other.id} & ours
    ]


def vantages(sweep: Sweep) -> list[Row]:
    rows = []
    for one, other in pairs(sweep):
        for port in PORTS:
            here, there = ({h.ip for h in s.seen if h.port == port} for s in (one, other))
            value, low, high = exact.chapman(len(here), len(there), len(here & there))
            rows.append(
                {
                    "sweep": one.id,
                    "other": other.id,
                    "days": 1 / 48,
                    "port": port,
                    "seen_here": len(here),
                    "seen_there": len(there),
                }
                | {"seen_by_both": len(here & there), "there": value, "there_low": low, "there_high": high}
            )
    return rows


def loss(sweep: Sweep) -> list[Row]:
    return recompute_loss.loss(series(sweep))


def country_loss(sweep: Sweep) -> list[Row]:
    return recompute_loss.country_loss(sweep, series(sweep))


def look(sweep: Sweep, country: str | None = recompute_loss.ALL) -> exact.Look:
    """What is known of the sweep's loss in a country: by its second looks, or by the other vantage."""
    return recompute_loss.look(sweep, country) or recompute_loss.other_vantage(sweep)


def chance(sweep: Sweep, country: str | None = recompute_loss.ALL) -> tuple[float, float, float]:
    """The chance that the sweep sees a service of a country."""
    return exact.chance(look(sweep, country))


def flows(found: dict[str, list[Host]], country: str | None) -> exact.Flows:
    """The services that came and went in each network of a country, or of all, in which any did."""
    came, went = (
        Counter(h.network[0] for fate in fates for h in found[fate] if country in ("all", h.country))
        for fates in (("new", "returned"), ("missing",))
    )
    return [(came[asn], went[asn]) for asn in came | went]


def changed(sweep: Sweep) -> list[Row]:
    """The test of change since the previous sweep: all countries together, then each country."""
    run = series(sweep)
    if len(run) < 2:
        return []
    found = fates(sweep)
    where = sorted({h.country for s in run[-2:] for h in s.seen}, key=str)
    rows = []
    for country in ("all", *where):
        counts = {f: sum(country in ("all", h.country) for h in found[f]) for f in FATES}
        compared = 1 if country == "all" else len(where)
        then, now = (look(s, country) for s in run[-2:])
        alike = recompute_loss.alike(*run[-2:], country)
        row = exact.change(counts["stayed"], flows(found, country), (then, now), alike or (then, now), compared)
        rows.append(
            {
                "country": country,
                "entered": counts["entered"],
                "left_space": counts["left_space"],
                "moved_in": 0,
                "moved_out": 0,
                "withheld": counts["withheld"],
            }
            | row
        )
    adjusted = [rows[0]["p_growth"], *exact.holm([row["p_growth"] for row in rows[1:]])]
    for row, p in zip(rows, adjusted, strict=True):
        shown = ("up" if row["came"] > row["went"] else "down") if p < 0.05 else row["flag"]
        row |= {"p_adjusted": p, "flag": shown}
    return rows


def rates(sweep: Sweep) -> list[Row]:
    return recompute_structure.rates(sweep, asked(sweep), decoy)


def concentration(sweep: Sweep) -> list[Row]:
    return recompute_structure.concentration(sweep, decoy)


def software_ages(sweep: Sweep) -> list[Row]:
    return recompute_structure.software_ages(sweep, decoy)


def country_bounds(sweep: Sweep) -> list[Row]:
    return recompute_structure.country_bounds(sweep, asked(sweep))


stayers = recompute_structure.stayers


def as_published(sweep: Sweep) -> list[Row]:
    return recompute_structure.as_published(sweep, decoy)


def system_changes(sweep: Sweep) -> list[Row]:
    return recompute_systems.changes(sweep, decoy, number(sweep))


def link_errors(sweep: Sweep) -> list[Row]:
    return recompute_systems.errors(sweep, number(sweep))


def system_survival(sweep: Sweep) -> list[Row]:
    return recompute_systems.survival(sweep, decoy, number(sweep))
