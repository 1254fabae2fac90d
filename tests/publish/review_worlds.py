"""Worlds of two sweeps whose countries are alike but for chance, so that each is a trial: what is there, what changed, and what a
report says of both."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo

Flags = NDArray[np.bool_]
SWEEPS = ("before", "now")
#: Countries, services of each, /24s of each that may have services, services that a /24 may have, and other hosts of each country.
COUNTRIES, SERVICES, PREFIXES, EACH, HOSTS = 100, 120, 80, 3, 150
#: The share of targets with a second SYN, and the share that one SYN misses.
SAMPLE, LOST = 0.25, 0.03
CODES = np.array([f"{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(COUNTRIES)])
READ = ("totals", "countries", "loss", "country_loss")


@dataclass(frozen=True)
class Kind:
    """How a world differs from one in which nothing happens but loss, alike everywhere.

    In a week the share `ends` of the services ends and as many begin, `together` of them as whole /24s; `renewed` of the systems
    get another address. `spread` is how unlike countries and weeks lose packets (lognormal), `ratio` how many times as many
    services are lost as other hosts. `blocked` of the /24s are never reached; each week `redrawn` of the paths are drawn anew. A
    new build of the country database moves the share `moved` of the /24s to another country.
    """

    name: str
    ends: float = 0.0
    together: float = 0.0
    renewed: float = 0.0
    spread: float = 0.0
    ratio: float = 1.0
    blocked: float = 0.0
    redrawn: float = 0.0
    moved: float = 0.0


class Lived:
    """A kind of world, lived through by a seed: arrays of countries, /24s and places in a /24."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self.kind, self.draw = kind, np.random.default_rng(seed)
        self.shape = (COUNTRIES, PREFIXES, EACH)
        full = self.draw.random((COUNTRIES, PREFIXES)).argsort(axis=1) < SERVICES // EACH
        self.before = np.repeat(full[..., None], EACH, axis=2)
        self.now = self._later(self.before.copy())
        blocked = self.draw.random((COUNTRIES, PREFIXES)) < kind.blocked
        anew = self.draw.random(blocked.shape) < kind.redrawn
        later = np.where(anew, self.draw.random(blocked.shape) < kind.blocked, blocked)
        self.reached = (~blocked[..., None], ~later[..., None])
        self.seen: list[Flags] = []
        self.twice: list[Flags] = []
        self.moved = self.draw.random((COUNTRIES, PREFIXES)) < kind.moved

    def _later(self, there: Flags) -> Flags:
        """The next week: some end, as many begin at addresses that had none, and some move to such addresses."""
        kind, chance = self.kind, self.draw.random
        alone = kind.ends * (1 - kind.together) + kind.renewed
        leaves = there & (chance(self.shape) < alone)
        comes = ~there & (chance(self.shape) < alone * SERVICES / (PREFIXES * EACH - SERVICES))
        whole = there[..., 0] & (chance(self.shape[:2]) < kind.ends * kind.together)
        empty = PREFIXES - SERVICES // EACH
        begins = ~there.any(axis=2) & (chance(self.shape[:2]) < kind.ends * kind.together * SERVICES / EACH / empty)
        return ((there & ~leaves) | comes) & ~whole[..., None] | begins[..., None]

    def by_country(self, services: Flags) -> NDArray[np.int64]:
        """How many of some services are in each country, by the newer build of the database."""
        per_prefix = services.sum(axis=2)
        moved = np.where(self.moved, per_prefix, 0).sum(axis=1)
        return np.asarray(per_prefix.sum(axis=1) - moved + np.roll(moved, 1))

    @cached_property
    def facts(self) -> Facts:
        """What a report of the second sweep has."""
        return gather(self._lake(), "now", Scope(min_cell=1), READ)

    def _lake(self) -> duckdb.DuckDBPyConnection:
        con = lake.connect(
            sweeps=[
                demo.sweep_row(1_000_000, 900) | {"sweep": sweep, "started_at": lake.WHEN.replace(day=day)}
                for sweep, day in zip(SWEEPS, (1, 8), strict=True)
            ],
            methods=[{"sweep": sweep, "method_digest": "m", "space_digest": "1"} for sweep in SWEEPS],
            space=[{"sweep": sweep, "first": 0, "last": 2**32 - 1} for sweep in SWEEPS],
            receipts=[
                {
                    "sweep": sweep,
                    "round": 1,
                    "second_visits": 1,
                    "second_probes": round(SAMPLE * 1e6),
                    "probes_sent": 10**6,
                }
                for sweep in SWEEPS
            ],
            coverage=[
                {"sweep": sweep, "country": code, "addresses": 5000} for sweep in SWEEPS for code in CODES.tolist()
            ],
        )
        parts = [self._swept(place) for place in range(len(SWEEPS))]
        for table in parts[0]:
            joined = {name: np.concatenate([part[table][name] for part in parts]) for name in parts[0][table]}
            lake.fill(con, table, joined)
        return con

    def _swept(self, place: int) -> dict[str, dict[str, Any]]:
        """The rows of a sweep: services, and other hosts in /24s behind those of services."""
        noise = self.draw.standard_normal(COUNTRIES) * self.kind.spread - self.kind.spread**2 / 2
        lost = np.minimum(LOST * np.exp(noise), 0.4)[:, None, None]
        there = (self.before, self.now)[place]
        first, second = self._asked(there & self.reached[place], self.kind.ratio * lost)
        hosts = np.ones((COUNTRIES, HOSTS // 10, 10), np.bool_)
        others = self._asked(hosts, lost)
        services, rest = first | second, others[0] | others[1]
        self.seen.append(services)
        ips = np.concatenate((_address(services, 0), _address(rest, PREFIXES)))
        outcomes = np.where(np.arange(ips.size) < services.sum(), "accepted", "not_dicom")
        looked = [
            np.concatenate((ours[services], theirs[rest])) for ours, theirs in zip((first, second), others, strict=True)
        ]
        asked = np.concatenate((self.twice[0][services], self.twice[1][rest]))
        target = {"ip": ips, "port": np.full(ips.size, 104), "sweep": np.full(ips.size, SWEEPS[place])}
        self.twice.clear()
        pairs = np.array([looked[0] & looked[1], looked[0] & ~looked[1], ~looked[0] & looked[1]])[:, asked].sum(axis=1)
        names = ("seen_twice", "first_only", "second_only")
        return {
            "second_looks": {"sweep": target["sweep"][:1]} | {n: pairs[i : i + 1] for i, n in enumerate(names)},
            "responses": target | {"outcome": outcomes},
            "associations": {
                name: values[: services.sum()] for name, values in (target | {"outcome": outcomes}).items()
            },
            "locations": {"ip": ips, "sweep": target["sweep"], "country": self._country(ips, place)},
            "second_syns": {
                name: values[asked]
                for name, values in (target | {"answered_first": looked[0], "answered_second": looked[1]}).items()
            },
        }

    def _asked(self, there: Flags, lost: Any) -> tuple[Flags, Flags]:
        """Who answers the first SYN, and who the second one, of those that get it."""
        first, second = (there & (self.draw.random(there.shape) >= lost) for _ in range(2))
        twice = self.draw.random(there.shape) < SAMPLE
        self.twice.append(twice)
        return first, second & twice

    def _country(self, ips: NDArray[np.int64], place: int) -> NDArray[np.str_]:
        number, prefix = np.divmod(ips >> 8, 256)
        leaves = np.concatenate((self.moved, np.zeros((COUNTRIES, 256 - PREFIXES), np.bool_)), axis=1)
        return CODES[(number + (place * leaves[number, prefix]).astype(int)) % COUNTRIES]


def _address(seen: Flags, begin: int) -> NDArray[np.int64]:
    """The addresses of hosts by country, /24 and place."""
    country, prefix, place = np.nonzero(seen)
    return (country * 256 + begin + prefix) * 256 + place
