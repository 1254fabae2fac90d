"""How evenly a worker sends: SYNs in each second and in each 10 ms, by the clock of the far end of a veth pair; and at what cost.

`python -m benchmarks.pace [--rates R …] [--seconds S] [--engines E …] [--against TREE]`. A whole worker (`census work`) visits
addresses without hosts. An XDP program at the far end counts SYNs by the tenth of a millisecond in which they come, so at no rate is
one missed. *Off* is the difference of the median second from the set rate; *most in 10 ms* is the fullest of all 10 ms, wherever they
begin, of which twice the rate is *allowed*. *Stalls* are pauses of the sender that are longer than its budget lasts: missed probes are
lost and counted, not caught up. *Core* is the CPU time of the sender's process, as a share of one core; *wakes* is how often a second
it has slept and gone on. Another checkout (`--against`) takes turns with this one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks import far_end
from benchmarks.greetings import PROCESSES, stages
from pipeline.engines import Engine
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.testbed.closed import NamespacePair, closed_pair, inside

RATES = (1_000, 10_000, 100_000, 1_000_000)
WINDOW = 0.010
SWEEP = """\
sweep = {{ name = "pace", ports = [104], seed = 5, rate = {rate}, shards = 1, sample = {targets} }}
targets = {{ include = ["11.0.0.0/8"] }}
probe = {{ engine = "{engine}", cooldown = 0.5 }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
"""


HEAD = (
    f"{'tree':<12}{'engine':<10}{'set rate':>9}{'median second':>15}{'off':>9}{'most in 10 ms':>15}{'allowed':>9}"
    f"{'stalls':>8}{'core':>8}{'wakes':>7}"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured: a checkout of this program, an engine, and a rate for so many seconds."""

    tree: Path
    engine: str
    rate: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Paced:
    """How a worker sent: SYNs in each bucket of time, stalls, and of its sender the share of a core and the wakes a second."""

    seen: NDArray[np.uint32]
    stalls: int
    core: float
    wakes: float


def used(pid: int) -> tuple[float, int]:
    """The CPU time of a process in seconds, and how often its threads have slept (proc(5))."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    ran = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    slept = (line for task in tasks for line in (task / "status").read_text().splitlines())
    return ran / 1e9, sum(int(line.split()[1]) for line in slept if line.startswith("voluntary_ctxt_switches"))


def sampled(working: "subprocess.Popen[bytes]") -> Iterator[tuple[float, float, int]]:
    """The time since 1970 and what the sender of a worker has used, ten times a second until it ends."""
    while working.poll() is None:
        with suppress(OSError, KeyError):
            yield time.time(), *used(stages(working.pid)[PROCESSES[0]])
        time.sleep(0.1)


def measured(pair: NamespacePair, folder: Path, setting: Setting) -> Paced:
    """Have a worker of a tree send, and count what arrives."""
    config, plan, lake, manifest = (folder / name for name in ("sweep.toml", "plan.json", "lake", "manifest.json"))
    rate, engine = setting.rate, setting.engine
    config.write_text(SWEEP.format(rate=rate, targets=round(rate * setting.seconds), engine=engine))
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
    census = [sys.executable, "-m", "pipeline"]
    subprocess.run([*census, "plan", config, "-o", plan], cwd=setting.tree, check=True, capture_output=True)
    seen = far_end.Arrivals(pair.world, "world0")
    work = [*inside(pair.vantage, setting.tree), *census, "work", plan, "--lake", lake]
    said = folder / "work.log"
    with said.open("wb") as log, subprocess.Popen(work, env=environment, stdout=log, stderr=log) as working:
        samples = list(sampled(working))
    seen.close()
    if working.returncode:
        raise SystemExit(said.read_text()[-2000:])
    receipts = [json.loads(path.read_bytes()) for path in lake.glob("work/*/receipts/*.json")]
    if engine != Engine.AUTO and {receipt["engine"] for receipt in receipts} != {engine}:
        raise SystemExit(f"this machine has no rings of engine {engine}")
    begin = min(receipt["started_at"] for receipt in receipts) / 1e6
    end = begin + sum(receipt["send_seconds"] for receipt in receipts)
    sending = [each for each in samples if begin <= each[0] <= end] or samples[-1:]
    lasted, ran, slept = np.subtract(sending[-1], sending[0]).tolist()
    stalls = sum(receipt["stalls"] for receipt in receipts)
    return Paced(seen.counts(), stalls, ran / max(lasted, 1e-9), slept / max(lasted, 1e-9))


def row(setting: Setting, paced: Paced) -> str:
    """A line of the table. Any 10 ms lie in one bucket more than they are long."""
    rate = setting.rate
    total = np.concatenate([[0], np.cumsum(paced.seen, dtype=np.int64)])
    whole = np.diff(total[:: 10**9 // far_end.BUCKET_NS])[1:]
    median = float(np.median(whole)) if len(whole) else float("nan")
    window = round(WINDOW * 1e9) // far_end.BUCKET_NS + 1
    fullest = int((total[window:] - total[:-window]).max()) if len(total) > window else int(total[-1])
    allowed = max(2, round(2 * rate * WINDOW))
    return (
        f"{setting.tree.name:<12.11}{setting.engine:<10}{rate:>9,}{median:>15,.0f}{median / rate - 1:>+9.2%}{fullest:>15,}"
        f"{allowed:>9,}{paced.stalls:>8,}{paced.core:>8.2%}{paced.wakes:>7.0f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--engines", nargs="+", choices=[str(engine) for engine in Engine], default=[str(Engine.AUTO)])
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout, which is measured in turn")
    given = parser.parse_args()
    trees = [Path.cwd(), *([given.against.resolve()] if given.against else [])]
    print(HEAD, flush=True)
    for rate, engine, tree in product(given.rates, given.engines, trees):
        setting = Setting(tree, engine, rate, given.seconds)
        with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
            print(row(setting, measured(pair, Path(folder), setting)), flush=True)


if __name__ == "__main__":
    main()
