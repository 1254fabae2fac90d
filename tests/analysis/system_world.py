"""Made-up worlds whose systems move, end and begin, with what is true of each: for the marts that link systems over sweeps."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb

from tests.analysis import lake

SWEEPS = 5
#: Addresses of a network.
SIZE = 1 << 16


@dataclass(frozen=True)
class World:
    """How often an address is renewed and a system ends from sweep to sweep; which share of the systems is alike or has a key."""

    churn: float
    ends: float = 0.02
    alike: float = 0.4
    keyed: float = 0.3
    lost: float = 0.01
    networks: int = 20
    systems: int = 40


@dataclass(frozen=True)
class Made:
    """The lake that has a world's rows, the number of its series there, and which system had each (sweep, address)."""

    con: duckdb.DuckDBPyConnection
    series: int
    system: Mapping[tuple[int, int], int]
    alive: Mapping[int, frozenset[int]]
    keyed: frozenset[int]


@dataclass
class System:
    """One system of a world."""

    number: int
    network: int
    configuration: int
    key: str | None
    address: int


def make(world: World, seed: int) -> Made:
    """The world of a seed, in a lake of its own."""
    (made,) = make_all([(world, seed)])
    return made


def make_all(worlds: Iterable[tuple[World, int]]) -> list[Made]:
    """The worlds of seeds, each a series of one lake: a query over all of them costs little more than over one."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("associations", "locations", "tls", "sweeps")}
    lived = []
    for series, (world, seed) in enumerate(worlds, 1):
        lived.append(_live(random.Random(seed), world, rows, f"n{series:03}"))
        rows["sweeps"] += [
            {"name": f"n{series:03}", "addresses": 9, "sampled_addresses": 9, "vantages": ["v"]}
            | {"sweep": f"n{series:03}-{index}", "started_at": lake.WHEN + timedelta(weeks=index)}
            for index in range(SWEEPS)
        ]
    names = [row["sweep"] for row in rows["sweeps"]]
    con = lake.connect(
        methods=[{"sweep": name, "method_digest": "m"} for name in names],
        space=[{"sweep": name, "first": 0, "last": 2**32 - 1} for name in names],
        **rows,
    )
    return [Made(con, series, *facts) for series, facts in enumerate(lived, 1)]


def _live(
    draw: random.Random, world: World, rows: dict[str, list[dict[str, Any]]], series: str
) -> tuple[dict[tuple[int, int], int], dict[int, frozenset[int]], frozenset[int]]:
    """Add the answers of a world's sweeps to the rows; return what is true of it."""
    taken: set[int] = set()
    systems = [_born(draw, world, number, taken) for number in range(world.networks * world.systems)]
    keyed = {system.number for system in systems if system.key}
    truth: dict[tuple[int, int], int] = {}
    alive: dict[int, frozenset[int]] = {}
    number = len(systems)
    for sweep in range(SWEEPS):
        if sweep:
            kept = [system for system in systems if draw.random() >= world.ends]
            born = [_born(draw, world, number + index, taken) for index in range(len(systems) - len(kept))]
            number += len(born)
            keyed |= {system.number for system in born if system.key}
            for system in kept:
                if draw.random() < world.churn * (system.network % 2):
                    system.address = _address(draw, system.network, taken)
            systems = kept + born
        alive[sweep] = frozenset(system.number for system in systems)
        for system in systems:
            if draw.random() >= world.lost:
                truth[sweep, system.address] = system.number
                _answer(rows, f"{series}-{sweep}", system)
    return truth, alive, frozenset(keyed)


def _born(draw: random.Random, world: World, number: int, taken: set[int]) -> System:
    """A system; those that are alike have one of three configurations."""
    network = draw.randrange(world.networks)
    configuration = draw.randrange(3) if draw.random() < world.alike else 3 + draw.randrange(400)
    key = f"key{number}" if draw.random() < world.keyed else None
    return System(number, network, configuration, key, _address(draw, network, taken))


def _address(draw: random.Random, network: int, taken: set[int]) -> int:
    """An address that no system has had."""
    while (address := (network + 1) * SIZE + draw.randrange(SIZE)) in taken:
        pass
    taken.add(address)
    return address


def _answer(rows: dict[str, list[dict[str, Any]]], sweep: str, system: System) -> None:
    at = {"sweep": sweep, "ip": system.address}
    name = f"V{system.configuration}"
    rows["associations"].append(
        at
        | {"port": 104, "outcome": "accepted", "implementation_class_uid": "1.2", "implementation_version_name": name}
    )
    rows["locations"].append(at | {"asn": system.network, "country": "DE"})
    if system.key:
        blank = dict.fromkeys(("subject", "issuer", "sha256"), "")
        chain = [blank | {"spki_sha256": system.key, "san": [], "warnings": []}]
        rows["tls"].append(at | {"port": 104, "round": 2, "handshake": "completed", "chain": chain})
