"""The share of hosts with a right row in simulated internets with known truth, and what a report estimates of it.

`python -m benchmarks.recall [--bits B] [--density D] [--rate R] [--worlds N] [--runs N]`. Each world is a block of 2^B addresses, a
share D of them hosts, swept on one port in a closed testbed; a quarter of the block is in each of four countries. Two fifths of the
hosts speak DICOM. *SYNs/s* is the achieved rate, without second SYNs. *Found* is the share of hosts that have a row. A SYN reaches a
host that sends its SYN-ACK again, after 1, 3 and 7 s, with the probability (1 - p)(1 - p^4), and another host with (1 - p)^2; a fifth
of the targets gets a second one: *predicted*, if packets are lost one by one. *Hosts right* and *services right* are the shares of
hosts, and of those that speak DICOM, that have a row with the true outcome. *Estimated* is what the sweep says of services by mart
`reachable`, with its 95 % interval. It *covers* the shares of hosts and of services, or it is a bound that holds: *at least* so many
services are there. *Countries* counts those whose interval covers, and those whose bound holds. With `--runs N` the second world is
swept N more times, each with its own losses, and the last line prints in how many of these runs the interval covered both shares.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.enrich import geo, range_table
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan import plan as planning
from pipeline.sweep import enrichment, freeze, run
from pipeline.testbed import spec, truth
from pipeline.views import connection

FIRST = 11 << 24
PORT = 104
#: Attempts of a persistent host to get its SYN-ACK through.
ATTEMPTS = 4
SAMPLE = 0.2
COUNTRIES = ("GB", "DE", "US", "SG")
ALIKE = (0.0,) * len(COUNTRIES)
MIX = "{ accepts = 20, rejects = 20, http = 20, ssh = 5, tls = 5, silent = 12, resets = 8, closes = 10 }"
SERVICES = ("echoed", "rejected")
SWEEP = """\
sweep = {{ name = "recall", ports = [{port}], seed = 5, rate = {rate}, shards = 1, profile = "echo" }}
targets = {{ include = ["11.0.0.0/{prefix}"] }}
geo = {{ country = "countries.parquet" }}
loss = {{ sample = {sample}, delay = 2.0 }}
probe = {{ cooldown = 9.0 }}
"""
WORLD = """\
[internet]
seed = {seed}
loss = {loss}
burst = {burst}
persistent = {persistent}
delays = [0.0, 0.05]
"""
BLOCK = """\
[[internet.block]]
addresses = ["{first}-{last}"]
ports = [{port}]
density = {density}
country = "{country}"
unheard = {unheard}
stalled = {stalled}
mix = {mix}
"""
#: What a report says of services, in all countries and in each.
ESTIMATES = """
SELECT of_all, country, services, chance, services / there_high AS low, services / there_low AS high
FROM reachable ORDER BY of_all DESC, country
"""
HEAD = (
    f"{'world':<30}{'SYNs/s':>8}{'hosts':>8}{'found':>9}{'predicted':>11}{'hosts right':>13}{'services right':>16}  "
    f"{'estimated':<25}{'says':<10}{'countries':<22}{'invented':>9}{'dropped':>9}"
)


@dataclass(frozen=True, slots=True)
class World:
    """A way to lose packets: of all hosts alike, and in each country so many SYN-ACKs, and conversations after the SYN-ACK."""

    name: str
    loss: float
    burst: float
    persistent: float
    unheard: tuple[float, ...] = ALIKE
    stalled: tuple[float, ...] = ALIKE
    seed: int = 9

    @property
    def predicted(self) -> float:
        """The share of hosts that a sweep finds if packets are lost one by one."""
        found = []
        for unheard in self.unheard:
            back = 1 - (1 - self.loss) * (1 - unheard)
            once = (1 - self.loss) * (self.persistent * (1 - back**ATTEMPTS) + (1 - self.persistent) * (1 - back))
            found.append(once + SAMPLE * (1 - once) * once)
        return float(np.mean(found))


WORLDS = (
    World("no loss", 0.0, 1.0, 1.0),
    World("2 % each way", 0.02, 1.0, 1.0),
    World("2 %, said once", 0.02, 1.0, 0.0),
    World("2 % in runs of 500", 0.02, 500.0, 1.0),
    World("5 % in runs of 5,000", 0.05, 5_000.0, 1.0),
    World("40 % in runs of 100,000", 0.4, 100_000.0, 1.0),
    World("countries", 0.01, 1.0, 0.0, unheard=(0.0, 0.02, 0.05, 0.15)),
    World("countries, in runs of 500", 0.02, 500.0, 0.0, unheard=(0.0, 0.02, 0.05, 0.15)),
    World("conversations 3 %, SYNs 1 %", 0.005, 1.0, 0.0, stalled=(0.03,) * 4),
    World("conversations by country", 0.005, 1.0, 0.0, unheard=(0.0, 0.02, 0.05, 0.15), stalled=(0.0, 0.02, 0.05, 0.15)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says of a share, in all countries or one, and the shares of services and of hosts that are right."""

    value: float
    low: float
    high: float
    services: float
    hosts: float

    @property
    def verdict(self) -> str:
        """Whether the interval covers both shares, or only its bound holds: at least so many are there."""
        right = (self.services, self.hosts)
        if all(self.low <= share <= self.high for share in right):
            return "covers"
        return "at least" if max(right) <= self.high else "MISSES"


def quarter(bits: int, number: int) -> tuple[int, int]:
    """The first and last address of a country."""
    size = 2**bits // len(COUNTRIES)
    return FIRST + number * size, FIRST + (number + 1) * size - 1


def write(folder: Path, world: World, given: argparse.Namespace) -> None:
    """Write a world, its country database, and the configuration of its sweep."""
    bounds = [quarter(given.bits, number) for number in range(len(COUNTRIES))]
    blocks = [
        BLOCK.format(
            first=_dotted(first), last=_dotted(last), port=PORT, density=given.density, country=COUNTRIES[number],
            unheard=world.unheard[number], stalled=world.stalled[number], mix=MIX,
        )
        for number, (first, last) in enumerate(bounds)
    ]  # fmt: skip
    head = WORLD.format(seed=world.seed, loss=world.loss, burst=world.burst, persistent=world.persistent)
    (folder / "world.toml").write_text("\n".join([head, *blocks]))
    values = {"prefix": 32 - given.bits, "rate": given.rate, "port": PORT, "sample": SAMPLE}
    (folder / "sweep.toml").write_text(SWEEP.format(**values))
    table = pa.table(
        [*map(pa.array, zip(*bounds, strict=True)), pa.array(COUNTRIES)], names=["first", "last", "country"]
    )
    facts = {"name": "made up", "build_date": "2026-11-01", "sha256": "0" * 64}
    range_table.save(table.cast(geo.SCHEMA), folder / "countries.parquet", facts)


def _dotted(number: int) -> str:
    return ".".join(map(str, number.to_bytes(4, "big")))


def swept(folder: Path) -> Path:
    """Sweep a folder's world, and return the lake."""
    plan = freeze.freeze(folder / "sweep.toml")
    (folder / "plan.json").write_bytes(planning.encode(plan))
    census = [sys.executable, "-m", "pipeline"]
    work = [*census, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    command = [*census, "testbed", "run", "--spec", str(folder / "world.toml"), "--", *work]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, ONLY_TESTBED: "1"}, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-2000:])
    sweep = Sweep(plan, SweepPaths(folder / "lake", plan.sweep))
    run.require_verified(sweep)
    run.seal(sweep)
    enrichment.enrich(sweep)
    return folder / "lake"


def outcomes(world_file: Path) -> dict[int, str]:
    """Outcome by address."""
    return {row.address: row.outcome for row in truth.truth(spec.load(world_file), (PORT,)) if row.outcome}


def told(lake: Path, true: dict[int, str], seen: dict[int, str], bits: int) -> list[Told]:
    """What a report says of all countries, then of each."""
    addresses = np.array(list(true))
    right = np.array([seen.get(ip) == outcome for ip, outcome in true.items()])
    is_service = np.array([outcome in SERVICES for outcome in true.values()])
    of = (addresses - FIRST) // (2**bits // len(COUNTRIES))
    with connection.connect(lake) as con:
        rows = con.execute(ESTIMATES).fetchall()
    found = []
    for of_all, country, _, *ends in rows:
        here = np.ones(len(of), np.bool_) if of_all else of == COUNTRIES.index(country)
        found.append(Told(*map(float, ends), float(right[here & is_service].mean()), float(right[here].mean())))
    return found


def row(folder: Path, world: World, given: argparse.Namespace) -> tuple[str, bool]:
    """Sweep a world and compare; return whether the estimate of all countries covers the shares that are right."""
    write(folder, world, given)
    lake = swept(folder)
    true = outcomes(folder / "world.toml")
    with connection.connect(lake) as con:
        seen: dict[int, str] = dict(con.execute("SELECT ip, outcome FROM responses").fetchall())
        query = "SELECT sum(ring_dropped), sum(probes_sent) / sum(send_seconds) FROM receipts"
        dropped, rate = con.execute(query).fetchone() or (0, 0)
    whole, *countries = told(lake, true, seen, given.bits)
    invented = len(seen.keys() - true.keys())
    interval = f"{whole.value:.2%} [{whole.low:.2%}, {whole.high:.2%}]"
    text = (
        f"{world.name:<30}{rate:>8,.0f}{len(true):>8,}{(len(seen) - invented) / len(true):>9.2%}{world.predicted:>11.2%}"
        f"{whole.hosts:>13.2%}{whole.services:>16.2%}  {interval:<25}{whole.verdict:<10}{_counted(countries):<22}"
        f"{invented:>9}{dropped:>9}"
    )
    return text, whole.verdict == "covers"


def _counted(countries: Sequence[Told]) -> str:
    counts = Counter(one.verdict for one in countries)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("covers", "at least", "MISSES") if counts[verdict])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=int, default=20)
    parser.add_argument("--density", type=float, default=0.05)
    parser.add_argument("--rate", type=int, default=40_000)
    parser.add_argument("--worlds", type=int, default=len(WORLDS), help="only this many of the worlds")
    parser.add_argument("--runs", type=int, default=0, help="further runs of the second world")
    given = parser.parse_args()
    print(json.dumps({"addresses": 2**given.bits, "density": given.density, "rate": given.rate}))
    print(HEAD, flush=True)
    for world in WORLDS[: given.worlds]:
        swept_row(world, given)
    runs = [swept_row(replace(WORLDS[1], name=f"run {seed}", seed=seed), given) for seed in range(1, given.runs + 1)]
    if runs:
        print(f"{sum(runs)} of {len(runs)} intervals cover both shares")


def swept_row(world: World, given: argparse.Namespace) -> bool:
    """Sweep a world and print its row; return whether its estimate covers."""
    with tempfile.TemporaryDirectory() as folder:
        text, covers = row(Path(folder), world, given)
    print(text, flush=True)
    return covers


if __name__ == "__main__":
    main()
