"""What became of the systems of the history, recomputed in plain Python: its keys never move, so nothing judges the links."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.publish import exact, hidden
from tests.publish.history import Host, Sweep, history

Row = dict[str, Any]
#: An address of a sweep: position in the series, address.
Place = tuple[int, int]


@dataclass(frozen=True)
class Seen:
    """What an address showed."""

    likeness: object
    declares: bool
    decoy: bool
    key: str | None


def run(sweep: Sweep) -> list[Sweep]:
    """The whole series."""
    return [s for s in history() if (s.name, s.method) == (sweep.name, sweep.method)]


def sightings(sweep: Sweep, decoy: Callable[[Host], bool]) -> dict[int, Seen]:
    found: dict[int, list[Host]] = {}
    for host in sorted(sweep.seen, key=lambda host: host.port):
        found.setdefault(host.ip, []).append(host)
    return {
        ip: Seen(
            (hosts[0].network, hosts[0].country, tuple((h.port, h.product, h.outcome, h.rejection) for h in hosts)),
            any(h.product for h in hosts),
            all(map(decoy, hosts)),
            hidden.certificate(ip)["spki_sha256"] if any(h.tls == "completed" for h in hosts) else None,
        )
        for ip, hosts in found.items()
    }


def links(sweeps: list[dict[int, Seen]]) -> dict[Place, tuple[Place, str]]:
    """Later sighting → the earlier one, and by what: the last sweep before the one before it, the address before the identity."""
    found: dict[Place, tuple[Place, str]] = {}
    followed: set[Place] = set()
    alone = [{k for k, n in Counter(seen.likeness for seen in each.values()).items() if n == 1} for each in sweeps]
    for gap in (1, 2):
        for at in range(gap, len(sweeps)):
            now, then = sweeps[at], sweeps[at - gap]
            by_likeness = {seen.likeness: ip for ip, seen in then.items()}
            for ip, seen in now.items():
                other = by_likeness.get(seen.likeness)
                if ip in then:
                    pair = (at - gap, ip), "address"
                elif (
                    seen.declares and other is not None and other not in now
                    and seen.likeness in alone[at] & alone[at - gap] and not seen.key and not then[other].key
                ):  # fmt: skip
                    pair = (at - gap, other), "identity"
                else:
                    continue
                if (at, ip) not in found and pair[0] not in followed:
                    found[at, ip] = pair
                    followed.add(pair[0])
    return found


def fates(sweep: Sweep, decoy: Callable[[Host], bool]) -> tuple[list[dict[int, Seen]], Any, Any, Any]:
    """The sightings, the links, their reverse, and whether a sighting without a later one left the space."""
    sweeps = [sightings(s, decoy) for s in run(sweep)]
    made = links(sweeps)
    later = {earlier: (place, by) for place, (earlier, by) in made.items()}

    def left(place: Place) -> bool:
        spaces = [s.space for s in run(sweep)[place[0] + 1 : place[0] + 3]]
        return not all(any(a <= place[1] <= b for a, b in space) for space in spaces)

    return sweeps, made, later, left


def changes(sweep: Sweep, decoy: Callable[[Host], bool], number: int) -> list[Row]:
    sweeps, made, later, left = fates(sweep, decoy)
    rows = []
    for at, s in enumerate(run(sweep)):
        if not at or s.started > sweep.started:
            continue
        before = run(sweep)[at - 1]
        own = [ip for ip, seen in sweeps[at].items() if not seen.decoy]
        by = Counter(made[at, ip][1] for ip in own if (at, ip) in made)
        fresh = [ip for ip in own if (at, ip) not in made]
        new = sum(any(a <= ip <= b for a, b in before.space) for ip in fresh)
        rows.append({
            "sweep": s.id, "series": number, "position": at + 1, "previous": before.id,
            "days": (s.started - before.started).total_seconds() / 86400, "systems": len(own), "systems_stayed": by["address"],
            "systems_moved_key": 0, "systems_moved_identity": by["identity"], "systems_new": new, "systems_entered": len(fresh) - new,
        } | _ended(at - 2, sweeps, later, left))  # fmt: skip
    return rows


def _ended(at: int, sweeps: list[dict[int, Seen]], later: Any, left: Any) -> Row:
    names = (
        "systems_before", "links_by_identity", "systems_ended", "missed_links", "missed_low", "missed_high", "false_links",
        "false_low", "false_high", "ended_low", "ended_high",
    )  # fmt: skip
    if at < 0:
        return dict.fromkeys(names)
    own = [ip for ip, seen in sweeps[at].items() if not seen.decoy and ((at, ip) in later or not left((at, ip)))]
    by = Counter(later[at, ip][1] for ip in own if (at, ip) in later)
    ended = [ip for ip in own if (at, ip) not in later]
    keyless = sum(not sweeps[at][ip].key for ip in ended)
    values = (
        len(own), by["identity"], len(ended), None, 0, keyless, None, 0, by["identity"], len(ended) - keyless,
        len(ended) + by["identity"],
    )  # fmt: skip
    return dict(zip(names, values, strict=True))


def errors(sweep: Sweep, number: int) -> list[Row]:
    """No key of the history moves, and no link by identity begins at one."""
    ends = ("", "_low", "_high")
    none = {f"{name}{end}": None for name in ("link_recall", "link_precision") for end in ends}
    none |= dict.fromkeys(("key_moves", "key_moves_linked", "moves_independent"), 0)
    none |= dict.fromkeys(("links_judged", "links_right", "links_independent"), 0)
    later = [(at, s) for at, s in enumerate(run(sweep)) if at and s.started <= sweep.started]
    return [{"sweep": s.id, "series": number, "position": at + 1} | none for at, s in later]


def survival(sweep: Sweep, decoy: Callable[[Host], bool], number: int) -> list[Row]:
    """The life table of the first sweep's systems; without a judge, all links may be false and all endings moves."""
    sweeps, _, later, left = fates(sweep, decoy)
    alive = {(0, ip) for ip, seen in sweeps[0].items() if not seen.decoy and ((0, ip) in later or not left((0, ip)))}
    rows: list[Row] = []
    share = least = most = 1.0
    greenwood, fewest, first = 0.0, float("inf"), len(alive)
    for at, s in enumerate(run(sweep)[1:-1], 1):
        ended = {place for place in alive if place[0] == at - 1 and place not in later}
        moved = sum(place[0] == at - 1 and later[place][1] == "identity" for place in alive - ended)
        n, d = len(alive), len(ended)
        keyless = sum(not sweeps[at - 1][ip].key for _, ip in ended)
        share, least, most = share * (1 - d / n), least * (1 - (d + moved) / n), most * (1 - (d - keyless) / n)
        greenwood, fewest = greenwood + d / (n * (n - d)), min(fewest, n)
        trials = (1 - share) / (share * greenwood) if 0 < share < 1 else fewest
        days = (s.started - run(sweep)[0].started).total_seconds() / 86400
        low, high = exact.wilson(share * trials, trials)
        rows.append({
            "sweep": s.id, "series": number, "position": at + 1, "days": days, "systems_first": first, "systems_followed": n,
            "ended_here": d, "exists_share": share, "exists_low": low, "exists_high": high,
            "exists_least": exact.wilson(least * trials, trials)[0], "exists_most": exact.wilson(most * trials, trials)[1],
        })  # fmt: skip
        alive = {later[place][0] if place[0] == at - 1 else place for place in alive - ended}
        alive = {place for place in alive if place[0] > at or place in later or not left(place)}
    return [row for row in rows if row["sweep"] in {s.id for s in run(sweep) if s.started <= sweep.started}]
