"""Worlds in which packets are lost: each is a sweep of one lake, with the counts of its looks and services by country."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.publish import country_loss
from pipeline.publish.estimates import ALL, SecondLook
from tests.analysis import lake

#: Services of each country, and its hosts that take requests.
SERVICES = np.round(np.geomspace(8, 900, 12)).astype(int)
COUNTRIES = [f"{chr(65 + number)}A" for number in range(len(SERVICES))]
HOSTS = 40_000 + 200 * SERVICES
#: The share of targets with a second SYN, and the mean loss of hosts.
SAMPLE, LOST = 0.2, 0.02
VIEWS = {
    "looks": "sweep country network took took_twice hosts hosts_again services_looked services_again",
    "exposed_addresses": "sweep country services",
}


@dataclass
class Worlds:
    """Services are lost at `ratio` times the rate of their country's hosts, whose rates differ by country and sweep (lognormal).

    `silenced` is how many conversations are lost after the SYN-ACK: of those after the first SYN, and of those after the second.
    There are `fewer` times fewer other hosts. `rates` are those of each country's hosts, of shape (sweeps, countries).
    """

    draw: np.random.Generator
    ratio: float
    spread: float
    silenced: tuple[float, float] = (0.0, 0.0)
    fewer: int = 1
    rates: list[NDArray[np.float64]] = field(default_factory=list)
    looks: list[tuple[Any, ...]] = field(default_factory=list)
    exposed: list[tuple[Any, ...]] = field(default_factory=list)

    def sweep(self, name: str) -> list[NDArray[np.bool_]]:
        """Sweep all countries: which services of each are seen, by either SYN."""
        noise = self.draw.standard_normal(len(SERVICES))
        rates = np.minimum(LOST * np.exp(self.spread * noise - self.spread**2 / 2), 0.4)
        self.rates.append(rates)
        return [self._country(name, number, float(rate)) for number, rate in enumerate(rates)]

    def _country(self, name: str, number: int, rate: float) -> NDArray[np.bool_]:
        lost, size = self.ratio * rate, int(SERVICES[number])
        first, second = (self.draw.random(size) >= lost for _ in range(2))
        second &= self.draw.random(size) < SAMPLE
        after_first, after_second = (self.draw.random(size) >= silenced for silenced in self.silenced)
        seen: NDArray[np.bool_] = np.where(first, after_first, second & after_second)
        hosts = self.draw.binomial(round(SAMPLE * HOSTS[number] / self.fewer), 1 - rate)
        answered_both = self.draw.binomial(hosts, 1 - rate)
        again = self.draw.binomial(answered_both, 1 - self.silenced[0])
        found = again + self.draw.binomial(hosts - answered_both, 1 - self.silenced[1])
        looked, both = int((second & seen).sum()), int((first & second & seen).sum())
        counts = (found + looked, again + both, found + looked, again + both, looked, both)
        self.looks.append((name, COUNTRIES[number], "AS1", *map(int, counts)))
        self.exposed.append((name, COUNTRIES[number], int(seen.sum())))
        return seen

    def lake(self, second_visits: int | None = 1) -> duckdb.DuckDBPyConnection:
        """A lake of all sweeps, which visit who answers the second SYN alone unless `second_visits` is None."""
        sent = {"round": 1, "second_visits": second_visits, "second_probes": round(SAMPLE * 1e6), "probes_sent": 10**6}
        con = lake.connect(receipts=[sent | {"sweep": name} for name in {row[0] for row in self.looks}])
        for view, rows in (("looks", self.looks), ("exposed_addresses", self.exposed)):
            replace(con, view, dict(zip(VIEWS[view].split(), map(list, zip(*rows, strict=True)), strict=True)))
        return con

    def rows(self, second_visits: int | None = 1) -> list[dict[str, Any]]:
        """The mart `country_loss` of the lake."""
        found: list[dict[str, Any]] = self.lake(second_visits).execute("FROM country_loss").to_arrow_table().to_pylist()
        return found


def replace(con: duckdb.DuckDBPyConnection, view: str, columns: Mapping[str, Any]) -> None:
    """Let a view have these columns."""
    con.register("made", pa.table(dict(columns)))
    con.execute(f"CREATE TABLE made_{view} AS FROM made; CREATE OR REPLACE VIEW {view} AS FROM made_{view}").fetchall()


def looks_of(rows: list[dict[str, Any]], sweep: str) -> list[SecondLook | None]:
    """The second looks at a sweep in all countries together, then in each."""
    own = [row for row in rows if row["sweep"] == sweep]
    return [country_loss.look(own, sweep, name) for name in (ALL, *COUNTRIES)]
