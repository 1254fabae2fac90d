"""Recall over a simulated internet with known truth, without loss and with loss, compared with arithmetic and our estimate.

`python -m benchmarks.recall [--bits B] [--density D] [--rate R] [--runs N]`. Each world is a block of 2^B addresses, a share D of
them hosts, visited on one port in a closed testbed. *SYNs/s* is the achieved rate, without second SYNs. *Recall* is the share of
hosts that have a row, *right* the share of these rows with the true outcome. One SYN reaches a host that sends its SYN-ACK
again, after 1, 3 and 7 s, with the probability (1 - p)(1 - p^4), and another host with (1 - p)^2: *predicted*. *Estimated* is
the sweep's own estimate, from second SYNs to a fifth of the targets, with its 95 % interval; *bias* is that estimate minus
the recall. Losses in bursts that end before the second SYN, two seconds later, cause no bias; in the last world some bursts
lose both SYNs of a target. With `--runs N` the second world is swept N more times, each with its own losses, and the last
line prints in how many of these runs the interval contained the predicted recall.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.statistics import recapture
from pipeline.testbed import spec, truth
from pipeline.views import connection

FIRST = 11 << 24
PORT = 104
#: Attempts of a persistent host to get its SYN-ACK through.
ATTEMPTS = 4
MIX = "{ accepts = 1, rejects = 1, http = 20, ssh = 5, tls = 5, silent = 50, resets = 10, closes = 8 }"
SWEEP = """\
sweep = {{ name = "recall", ports = [{port}], seed = 5, rate = {rate}, shards = 1, profile = "echo" }}
targets = {{ include = ["11.0.0.0/{prefix}"] }}
loss = {{ sample = 0.2, delay = 2.0 }}
probe = {{ cooldown = 9.0 }}
"""
WORLD = """\
[internet]
seed = {seed}
loss = {loss}
burst = {burst}
persistent = {persistent}
delays = [0.0, 0.05]

[[internet.block]]
addresses = ["11.0.0.0/{prefix}"]
ports = [{port}]
density = {density}
mix = {mix}
"""


@dataclass(frozen=True, slots=True)
class World:
    """A way to lose packets."""

    name: str
    loss: float
    burst: float
    persistent: float
    seed: int = 9

    @property
    def predicted(self) -> float:
        """The share of hosts that one SYN finds."""
        there = 1 - self.loss
        return self.persistent * there * (1 - self.loss**ATTEMPTS) + (1 - self.persistent) * there**2


WORLDS = (
    World("no loss", 0.0, 1.0, 1.0),
    World("2 % each way", 0.02, 1.0, 1.0),
    World("2 %, peers say it once", 0.02, 1.0, 0.0),
    World("2 % in runs of 500", 0.02, 500.0, 1.0),
    World("40 % in runs of 100,000", 0.4, 100_000.0, 1.0),
)


def census(*arguments: object) -> list[str]:
    """A command of `census`."""
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def swept(folder: Path, world: World, given: argparse.Namespace) -> Path:
    """Sweep a world, and return the lake."""
    values = {"prefix": 32 - given.bits, "density": given.density, "rate": given.rate, "port": PORT, "mix": MIX}
    world_file, sweep, plan, lake = (folder / name for name in ("world.toml", "sweep.toml", "plan.json", "lake"))
    world_file.write_text(WORLD.format(**values, **asdict(world)))
    sweep.write_text(SWEEP.format(**values))
    environment = {**os.environ, ONLY_TESTBED: "1"}
    subprocess.run(census("plan", sweep, "-o", plan), check=True, capture_output=True, env=environment)
    work = census("testbed", "run", "--spec", world_file, "--", *census("work", plan, "--lake", lake))
    ended = subprocess.run(work, capture_output=True, text=True, env=environment, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-2000:])
    return lake


def outcomes(world_file: Path) -> dict[int, str]:
    """Outcome by address."""
    return {row.address: row.outcome for row in truth.truth(spec.load(world_file), (PORT,)) if row.outcome}


def row(folder: Path, world: World, given: argparse.Namespace) -> tuple[str, bool]:
    """Sweep a world and compare; return whether the estimate's interval contains the predicted recall."""
    lake = swept(folder, world, given)
    true = outcomes(folder / "world.toml")
    with connection.connect(lake) as con:
        seen = con.execute("SELECT ip, outcome FROM responses").fetchall()
        columns = (
            "sum(seen_twice), sum(seen_twice + second_only), sum(ring_dropped), sum(probes_sent) / sum(send_seconds)"
        )
        twice, second, dropped, rate = con.execute(f"SELECT {columns} FROM receipts").fetchone() or (0, 0, 0, 0)
    invented = sum(ip not in true for ip, _ in seen)
    right = np.mean([true.get(ip) == outcome for ip, outcome in seen])
    estimate = recapture.detection(twice, second)
    interval = f"{float(estimate.value):.2%} [{float(estimate.low):.2%}, {float(estimate.high):.2%}]"
    share = (len(seen) - invented) / len(true)
    bias = float(estimate.value) - share
    text = (
        f"{world.name:<24}{rate:>9,.0f}{len(true):>9,}{share:>9.2%}{world.predicted:>11.2%}  {interval:<26}{bias:>+8.2%}"
        f"{right:>8.2%}{invented:>9}{dropped:>9}"
    )
    return text, bool(estimate.low <= world.predicted <= estimate.high)


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
    heads = f"{'world':<24}{'SYNs/s':>9}{'hosts':>9}{'recall':>9}{'predicted':>11}  {'estimated':<26}{'bias':>8}{'right':>8}"
    print(f"{heads}{'invented':>9}{'dropped':>9}", flush=True)
    for world in WORLDS[: given.worlds]:
        swept_row(world, given)
    runs = [swept_row(replace(WORLDS[1], name=f"run {seed}", seed=seed), given) for seed in range(1, given.runs + 1)]
    if runs:
        print(f"{sum(runs)} of {len(runs)} runs agree with what arithmetic predicts")


def swept_row(world: World, given: argparse.Namespace) -> bool:
    """Sweep a world and print its row; return whether its estimate agrees."""
    with tempfile.TemporaryDirectory() as folder:
        text, agrees = row(Path(folder), world, given)
    print(text, flush=True)
    return agrees


if __name__ == "__main__":
    main()
