"""A made-up history of eight weeks, and its lake: growth, churn, loss, one method change, one lost vantage.

Vantage V sweeps every week as `weekly`; after week 5 its profile changes. Vantage W sweeps half an hour later as `second`, except in
week 4, when W was down. In week 3 sixteen British addresses opt out. A sweep named weekly sends a second SYN to three in eight
services and to all other hosts, and visits who answers it alone; in Germany twice as many packets are lost. All draws come from
`random` with a seed, none from the program.

    python -m tests.publish.history FOLDER        writes the lake, e.g. for the examples of docs/sql.md
"""

import random
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline import schema
from pipeline.lake import layout, parts
from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.views import linked_marts
from tests.analysis import lake as in_memory
from tests.made_once import computed
from tests.publish import hidden

WEEKS = 8
METHOD_CHANGE, VANTAGE_LOST, OPTED_OUT = 5, 3, 2
BEGIN = datetime(2026, 6, 1, 3, tzinfo=UTC)
PORTS = (104, 11112)
#: The share of services that get a second SYN, and how many times as many packets as elsewhere are lost in a country.
TWICE, LOSES = 0.375, {"DE": 2.0}
#: The companion ports of the sweeps named weekly.
COMPANIONS = (80, 443, 2575)


def ip(text: str) -> int:
    """An address as an integer."""
    return int(IPv4Address(text))


#: Country, first address of its /20, (number, holder, sector, confidence) of its networks.
JANET = (64500, "Example Janet", "education", "medium")
HEALTH = (64501, "Example Health Network", "healthcare", "medium")
CLOUD = (64502, "Example Cloud", "hosting", "weak")
LINES = (64503, "Example Telecom", "access", "weak")
PLACES: tuple[tuple[str | None, int, tuple[tuple[int, str, str, str], ...]], ...] = (
    ("GB", ip("198.18.0.0"), (JANET, HEALTH, LINES)),
    ("DE", ip("198.18.16.0"), (HEALTH, LINES)),
    ("US", ip("198.18.32.0"), (HEALTH, CLOUD, LINES)),
    ("SG", ip("198.18.48.0"), (CLOUD,)),
    (None, ip("198.18.64.0"), (LINES,)),
)
SIZE = 4096
#: The kind of a network, by its sector.
KINDS = {"education": "university", "healthcare": "hospital", "hosting": "hosting", "access": "access"}
#: The domain of all host names of the history.
HOSTS = "radiology.example-trust.nhs.uk"
#: A second geolocation database, which knows only these countries, and moves every ninth British address to Germany.
SECOND = f"made up otherwise, built 2026-05-25, sha256 {'5' * 64}"
SOURCE = f"made up, built 2026-05-20, sha256 {'0' * 64}"


def second(number: int) -> str | None:
    """The country of an address by the second database."""
    country = next((c for c, first, _ in PLACES if first <= number < first + SIZE), None)
    return "DE" if country == "GB" and number % 9 == 0 else country


def companion(number: int, port: int) -> str | None:
    """What a companion SYN found at an address; None where none left."""
    return (
        None
        if number % 11 == 0
        else ("open", "closed", "silent", "closed", "silent", "open", "silent")[(number + port) % 7]
    )


FIRST = {"GB": 60, "DE": 40, "US": 90, "SG": 4, None: 3}
BORN = {"GB": 3, "DE": 1, "US": 6, "SG": 0, None: 0}
STAYS = {"GB": 0.96, "DE": 0.97, "US": 0.94, "SG": 1.0, None: 1.0}
OUT = range(ip("198.18.3.0"), ip("198.18.3.16"))
PRODUCTS = (
    ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", "DCMTK", "3.6.7"),
    ("1.2.40.0.13.1.3", "dcm4che-5.29.2", "dcm4che", "5.29.2"),
    ("1.2.826.0.1.3680043.9.3811.1.5.7", "PYNETDICOM_157", "pynetdicom", "1.5.7"),
)
ANSWERS: tuple[tuple[str, tuple[int, int, int] | None], ...] = (
    ("accepted", None),
    ("accepted", None),
    ("accepted", None),
    ("accepted_no_verification", None),
    ("rejected", (1, 1, 7)),
    ("rejected", (1, 1, 3)),
    ("rejected", (1, 1, 1)),
    ("aborted", None),
)
SUSPICIONS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    (),
    (),
    (),
    ("dicompot-echo",),
    ("prefix-same-reply",),
    ("max-pdu-huge",),
)
OTHERS = ("silent", "silent", "reset", "not_dicom", "closed", "tls", "malformed")


@dataclass(frozen=True)
class Host:
    """A service of the history, and the weeks of its life."""

    ip: int
    port: int
    country: str | None
    network: tuple[int, str, str, str]
    outcome: str
    rejection: tuple[int, int, int] | None
    product: tuple[str, str, str, str] | None
    suspicions: tuple[str, ...]
    tls: str | None
    born: int
    dies: int


@dataclass(frozen=True)
class Sweep:
    """One sweep: services seen, other answers, and who got a second SYN: address, port, and whether each SYN was answered."""

    id: str
    name: str
    vantage: str
    week: int
    method: str
    profile: str
    started: datetime
    space: tuple[tuple[int, int], ...]
    seen: tuple[Host, ...]
    others: tuple[tuple[int, int, str, str | None], ...]
    looks: tuple[tuple[int, int, bool, bool], ...]

    @property
    def twice(self) -> tuple[int, int, int]:
        """How many hosts answered both SYNs, only the first, and only the second."""
        pairs = [look[2:] for look in self.looks]
        return pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True))


@cache
def history() -> tuple[Sweep, ...]:
    """All sweeps, in the order of time."""
    draw = random.Random(20260601)
    hosts = _hosts(draw)
    noise = tuple(_other(draw) for _ in range(150))
    return tuple(
        _sweep(draw, name, week, hosts, noise)
        for week in range(WEEKS)
        for name in ("weekly", "second")
        if (name, week) != ("second", VANTAGE_LOST)
    )


def _hosts(draw: random.Random) -> list[Host]:
    taken: set[tuple[int, int]] = set()
    return [
        _host(draw, country, first, networks, born, taken)
        for country, first, networks in PLACES
        for born in range(WEEKS)
        for _ in range(FIRST[country] if not born else BORN[country])
    ]


def _host(draw: random.Random, country: Any, first: int, networks: Any, born: int, taken: set[Any]) -> Host:
    while True:
        place = (first + spread(draw.randrange(0, 200)), draw.choice(PORTS))
        if place not in taken:
            taken.add(place)
            break
    outcome, rejection = draw.choice(ANSWERS)
    dies = born + 1
    while dies < WEEKS and draw.random() < STAYS[country]:
        dies += 1
    return Host(
        *place,
        country=country,
        network=networks[place[0] % len(networks)],
        outcome=outcome,
        rejection=rejection,
        product=draw.choice(PRODUCTS) if outcome.startswith("accepted") else None,
        suspicions=draw.choice(SUSPICIONS),
        tls=draw.choice((None, None, None, None, "completed", "not_tls")),
        born=born,
        dies=dies if dies < WEEKS else WEEKS + 1,
    )


def _other(draw: random.Random) -> tuple[int, int, str, str | None]:
    country, first, _ = draw.choice(PLACES)
    return first + spread(draw.randrange(200, SIZE)), draw.choice(PORTS), draw.choice(OTHERS), country


def spread(number: int) -> int:
    """The place in a /20 of its host of this number; neighbours are in different /24s, none of which has so many hosts as a proxy."""
    return number % 16 * 256 + number // 16


def _sweep(draw: random.Random, name: str, week: int, hosts: list[Host], noise: Any) -> Sweep:
    out = OUT if week >= OPTED_OUT else range(0)
    again = random.Random(f"{name}{week}")
    there = [host for host in hosts if host.born <= week < host.dies and host.ip not in out]
    of_hosts = [(host, *_asked(draw, again, name, host.country, TWICE)) for host in there]
    of_noise = [(row, *_asked(draw, again, name, row[3], 1.0)) for row in noise]
    looks = [
        (*target, first, second)
        for target, first, second in (
            *(((host.ip, host.port), first, second) for host, first, second in of_hosts),
            *((row[:2], first, second) for row, first, second in of_noise),
        )
        if second is not None and (first or second)
    ]
    started = BEGIN + timedelta(weeks=week, minutes=30 * (name == "second"))
    changed = week >= METHOD_CHANGE
    return Sweep(
        id=f"{started:%Y%m%dT%H%M%SZ}-{name}",
        name=name,
        vantage="198.51.100.7" if name == "weekly" else "203.0.113.9",
        week=week,
        method="echo" if changed else "associate",
        profile="echo" if changed else "associate",
        started=started,
        space=tuple(_space(out)),
        seen=tuple(host for host, first, second in of_hosts if first or second),
        others=tuple({row[:2]: row for row, first, second in of_noise if first or second}.values()),
        looks=tuple({look[:2]: look for look in looks}.values()),
    )


def _asked(
    draw: random.Random, again: random.Random, name: str, country: str | None, twice: float
) -> tuple[bool, bool | None]:
    """Whether a host answers the first SYN, and the second one; None if it gets none."""
    loss = (0.03 if name == "weekly" else 0.05) * LOSES.get(country or "", 1.0)
    first = draw.random() >= loss
    if name != "weekly" or again.random() >= twice:
        return first, None
    return first, again.random() >= loss


def _space(out: range) -> list[tuple[int, int]]:
    """The target space: all blocks, without the opted-out addresses."""
    whole = [(first, first + SIZE - 1) for _, first, _ in PLACES]
    if not out:
        return whole
    first, last = whole[0]
    return [(first, out[0] - 1), (out[-1] + 1, last), *whole[1:]]


def announced(sweep: Sweep, first: int, networks: Any, network: Any) -> list[int]:
    """The addresses of a block in a sweep's space that a network announces."""
    numbers = (n for a, b in sweep.space if first <= a < first + SIZE for n in range(a, b + 1))
    return [n for n in numbers if networks[n % len(networks)] == network]


def tables(sweep: Sweep) -> dict[str, list[dict[str, Any]]]:
    """The rows of a sweep's tables; a column missing from a row is null or blank."""
    seen = [{"ip": host.ip, "port": host.port, "outcome": host.outcome} for host in sweep.seen]
    others = [{"ip": row[0], "port": row[1], "outcome": row[2]} for row in sweep.others]
    malformed = [row for row in others if row["outcome"] == "malformed"]
    addresses = sum(last - first + 1 for first, last in sweep.space)
    probes = addresses * len(PORTS)
    times = {"started_at": sweep.started, "finished_at": sweep.started + timedelta(hours=5), "sealed_at": sweep.started}
    counts = {"probes_sent": probes, "responses": len(seen) + len(others), "associations": len(seen) + len(malformed)}
    places = {host.ip: (host.country, *host.network[:2]) for host in sweep.seen}
    places = {row[0]: (row[3], None, None) for row in sweep.others} | places
    outcomes = [row["outcome"] for row in (*seen, *others)]
    return {
        "sweeps": [
            {
                "name": sweep.name, "plan_digest": sweep.id, "profile": sweep.profile, "ports": list(PORTS),
                "addresses": addresses, "sampled_addresses": addresses, "vantages": [sweep.vantage],
                "code_version": "0.1.0", **times, **counts,
            }
        ],
        "receipts": [
            {
                "plan_digest": sweep.id, "vantage": sweep.vantage, "probes_abandoned": 0, "round": 1, **counts,
                "second_probes": round(probes * TWICE) if sweep.looks else 0, "second_visits": sweep.twice[2],
                "outcomes": [{"outcome": name, "targets": outcomes.count(name)} for name in sorted(set(outcomes))],
            }
        ],
        "methods": [{"plan_digest": sweep.id, "method_digest": sweep.method, "space_digest": str(sweep.space)}],
        "space": [{"first": first, "last": last} for first, last in sweep.space],
        "responses": [*seen, *others],
        "associations": [*(_association(host) for host in sweep.seen), *malformed],
        "locations": [
            {
                "ip": number, "country": country, "asn": asn, "organisation": holder,
                "country_source": SOURCE, "country_second": second(number), "second_source": SECOND,
                "network_kind": next((KINDS[n[2]] for _, _, ns in PLACES for n in ns if n[0] == asn), "unknown"),
            }
            for number, (country, asn, holder) in places.items()
        ],
        "coverage": [
            {
                "country": country, "country_source": SOURCE,
                "addresses": sum(b - a + 1 for a, b in sweep.space if first <= a < first + SIZE),
                "addresses_second": sum(second(n) == country for a, b in sweep.space for n in range(a, b + 1)),
                "second_source": SECOND,
            }
            for country, first, _ in PLACES
        ],
        "network_coverage": [
            {
                "country": country, "asn": network[0], "organisation": network[1], "network_kind": KINDS[network[2]],
                "network_rule": "made-up", "network_confidence": network[3],
                "addresses": len(announced(sweep, first, networks, network)),
            }
            for country, first, networks in PLACES
            for network in networks
        ],
        "host_names": [
            {"ip": number, "naming": "confirmed", "names": [f"pacs{number % 256}.{HOSTS}"], "unconfirmed": [f"old.{HOSTS}"]}
            for number in {host.ip for host in sweep.seen}
        ],
        "fingerprints": [
            *(_fingerprint(host) for host in sweep.seen),
            *({"ip": row["ip"], "port": row["port"]} for row in malformed),
        ],
        "owners": [
            {"ip": number, "sector": network[2], "rule": "made-up", "field": "organisation", "confidence": network[3]}
            for number, network in {host.ip: host.network for host in sweep.seen}.items()
        ],
        "systems": [_system(host) for host in sweep.seen],
        "companions": [
            {"ip": number, "port": port, "answer": companion(number, port)}
            for number in {host.ip for host in sweep.seen}
            for port in COMPANIONS
        ] if sweep.name == "weekly" else [],
        "tls": [
            {
                "ip": host.ip, "port": host.port, "round": 2, "handshake": host.tls, "client_certificate": "not_requested",
                "chain": [hidden.certificate(host.ip)] if host.tls == "completed" else [],
            }
            for host in sweep.seen
            if host.tls
        ],
        "second_looks": [
            dict(zip(("vantage", "seen_twice", "first_only", "second_only"), (sweep.vantage, *sweep.twice), strict=True))
        ] if sweep.looks else [],
        "second_syns": [
            dict(zip(("ip", "port", "answered_first", "answered_second"), look, strict=True)) for look in sweep.looks
        ],
    }  # fmt: skip


def _association(host: Host) -> dict[str, Any]:
    result, source, reason = host.rejection or (None, None, None)
    uid, name = host.product[:2] if host.product else (None, None)
    said = {"rj_result": result, "rj_source": source, "rj_reason": reason}
    return {
        "ip": host.ip, "port": host.port, "outcome": host.outcome, **said,
        "implementation_class_uid": uid, "implementation_version_name": name, **hidden.reply(host.ip),
    }  # fmt: skip


def _fingerprint(host: Host) -> dict[str, Any]:
    known = {}
    if host.product:
        known = {"identity_rule": "r", "toolkit": host.product[2], "toolkit_version": host.product[3], "grade": "L"}
        known |= {"identity_tried": 3, "identity_wrong": 1}
    trials = {"suspicions_tried": [20] * len(host.suspicions), "suspicions_wrong": [2] * len(host.suspicions)}
    return {"ip": host.ip, "port": host.port, "suspicions": list(host.suspicions), **trials, **known}


def _system(host: Host) -> dict[str, Any]:
    """One address is one system; the wider rules join two or four neighbours."""
    return {
        "ip": host.ip,
        "port": host.port,
        "certain": host.ip % 2**16,
        "probable": host.ip % 2**16 // 2,
        "possible": host.ip % 2**16 // 4,
    }


@cache
def connect() -> duckdb.DuckDBPyConnection:
    """A connection with every view over the rows of all sweeps, which every test leaves unchanged.

    In memory they answer in half the time that files take, and the same (`tests/publish/test_gather.py`). Marts that follow systems
    are made once, as `census enrich` builds them.
    """
    rows = defaultdict[str, list[dict[str, Any]]](list)
    for sweep in history():
        for name, found in tables(sweep).items():
            rows[name] += ({"sweep": sweep.id} | row for row in found)
    return in_memory.build(in_memory.connect(**rows), ("system_sightings", *linked_marts.LINKED))


@cache
def gathered(sweep: str, scope: Scope = Scope()) -> Facts:
    """What is published of a sweep: up to 8 s of CPU, so that all processes of a run of tests gather it once."""
    return computed(("history", sweep, *astuple(scope)), lambda: gather(connect(), sweep, scope))


def write(lake: Path, sweeps: Iterable[Sweep] = ()) -> None:
    """Write the lake with every table of every sweep (of these sweeps, or of all) sealed."""
    for sweep in sweeps or history():
        paths = layout.SweepPaths(lake, sweep.id)
        paths.plan.parent.mkdir(parents=True)
        paths.plan.touch()
        for name, rows in tables(sweep).items():
            parts.write(paths.sealed(name), parts.tidy([arrow(name, rows)], name), name, sweep.id)


def arrow(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of a table of the contract; a column missing from a row is null or blank."""
    blank = in_memory.blanks(schema.table(name), BEGIN)
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema.table(name).arrow)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
