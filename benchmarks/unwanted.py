"""What packets cost that nobody asked for: forged SYN-ACKs to our own ports, which no probe of ours has caused.

`python -m benchmarks.unwanted [--forged N] [--rate R] [--seconds S] [--engine E]`. A whole worker (`census work`) visits addresses
without hosts at R probes a second, twice: once alone, and once while somebody sends N forged SYN-ACKs a second from the target space,
with the right ports and wrong acknowledgement numbers. The difference of its sender's CPU time is theirs, by who has used it. The
receipts say how many were counted, and how many were lost since the ring had no room.
"""

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.greetings import PROCESSES, Spent, shares, swept
from pipeline.engines import Engine
from pipeline.testbed.closed import closed_pair

SWEEP = """\
sweep = {{ name = "unwanted", ports = [104], seed = 5, rate = {rate}, shards = 1, sample = {targets}, profile = "echo" }}
targets = {{ include = ["11.0.0.0/8"] }}
probe = {{ cooldown = 1.0, engine = "{engine}" }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
"""
WORLD = """\
[internet]
seed = 12
forged = {forged}

[[internet.block]]
addresses = ["11.0.0.0/8"]
ports = [104]
density = 0.0
mix = {{ accepts = 1 }}
"""
#: A run lasts from when its first range begins until its last one has ended.
SPAN = ((min, "started_at"), (max, "finished_at"))


class Run(NamedTuple):
    """A run: its seconds, the sender's cores (of its own and of the kernel's), and the packets counted and lost."""

    seconds: float
    cores: Spent
    counted: int
    lost: int


def run(given: argparse.Namespace, forged: int) -> Run:
    """Sweep while so many are forged a second."""
    sweep = SWEEP.format(rate=given.rate, engine=given.engine, targets=round(given.rate * given.seconds))
    with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
        done = swept(pair, Path(folder), WORLD.format(forged=forged), sweep)
    begin, end = (pick(receipt[name] for receipt in done.receipts) / 1e6 for pick, name in SPAN)
    cores = shares(done.seen, begin, end)[PROCESSES[0]]
    return Run(end - begin, cores, *map(done.total, ("ring_invalid", "ring_dropped")))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forged", type=int, default=60_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--engine", choices=[engine for engine in Engine if engine.raw], default=Engine.RING)
    given = parser.parse_args()
    alone, flooded = run(given, 0), run(given, given.forged)
    for name, each in (("alone", alone), ("flooded", flooded)):
        print(
            f"{name:<10}{each.cores.sum():>6.2f} cores, {each.counted / each.seconds:>8,.0f} forged a second, {each.lost:,} lost"
        )
    ours, kernel = 1e6 * (flooded.cores - alone.cores) * flooded.seconds / np.maximum(flooded.counted, 1)
    print(f"a forged packet costs the sender {ours + kernel:.2f} µs: ours {ours:.2f}, the kernel's {kernel:.2f}")


if __name__ == "__main__":
    main()
