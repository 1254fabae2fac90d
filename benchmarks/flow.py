"""What Prefect costs: seconds that `census sweep` needs more than `census work`, and how soon it begins to send.

`python -m benchmarks.flow [--shards N] [--ranges N]`. *Overhead* is all that the flow adds, its server's start, verification, seal and
enrichment included, divided by the shards. *First probe* is from the start of the command, of a plan of many ranges in 512 shards.
All of it in a closed pair of namespaces where nobody answers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.lake import layout
from pipeline.status import snapshot
from pipeline.testbed.closed import Pair, closed_pair, inside

#: Goals: seconds a shard, and seconds to the first probe.
OVERHEAD, BEGIN = 1.0, 60.0
#: Shards of the large plan, and its probes a second.
SHARDS, RATE = 512, 1_000
CENSUS = [sys.executable, "-m", "pipeline"]
SWEEP = """\
sweep = {{ name = "{name}", ports = [104], seed = 5, rate = {rate}, shards = {shards}, sample = {targets} }}
targets = {{ include = ["11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8", "14.0.0.0/8", "15.0.0.0/8", "16.0.0.0/8"] }}
probe = {{ cooldown = 0.5 }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
"""


def planned(folder: Path, name: str, *, rate: int, shards: int, targets: int) -> Path:
    """A frozen plan."""
    config, plan = folder / f"{name}.toml", folder / f"{name}.json"
    config.write_text(SWEEP.format(name=name, rate=rate, shards=shards, targets=targets))
    subprocess.run([*CENSUS, "plan", config, "-o", plan], check=True, capture_output=True)
    return plan


def ranges(plan: Path) -> int:
    """How many ranges a plan has."""
    walk = layout.read_plan(plan).walk()
    return sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))


def seconds(pair: Pair, environment: dict[str, str], verb: str, plan: Path) -> float:
    """How long a command takes over a whole plan."""
    began = time.monotonic()
    command = [*inside(pair.vantage), *CENSUS, verb, str(plan), "--lake", str(plan.with_suffix(f".{verb}"))]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


def first_probe(pair: Pair, environment: dict[str, str], plan: Path) -> float:
    """How long `census sweep` takes until it has sent a probe; it is interrupted then."""
    lake = plan.with_suffix(".lake")
    began = time.monotonic()
    command = [*inside(pair.vantage), *CENSUS, "sweep", str(plan), "--lake", str(lake)]
    sweeping = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _probed(lake):
            if sweeping.poll() is not None:
                raise SystemExit(f"the sweep ended with {sweeping.returncode} before it sent anything")
            time.sleep(0.05)
        return time.monotonic() - began
    finally:
        sweeping.terminate()  # as Ctrl-C does, which who runs in the background ignores
        sweeping.wait(60)


def _probed(lake: Path) -> int:
    if not (lake / "plans").is_dir() or not layout.sweeps(lake):
        return 0
    return snapshot.counts(snapshot.worker_progress(layout.find(lake, None)))["probed"]


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--ranges", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, closed_pair() as pair:
        folder = Path(name)
        manifest = folder / "manifest.json"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        environment = os.environ | {TESTBED: str(manifest), ONLY_TESTBED: "1", "PREFECT_HOME": str(folder / "prefect")}
        small = planned(folder, "small", rate=10_000, shards=given.shards, targets=given.shards * 1_000)
        worked, swept = (seconds(pair, environment, verb, small) for verb in ("work", "sweep"))
        print(f"{given.shards} shards: census work {worked:.1f} s, census sweep {swept:.1f} s")
        print(f"overhead: {(swept - worked) / given.shards:.2f} s a shard of {OVERHEAD:.0f}", flush=True)
        large = planned(folder, "large", rate=RATE, shards=SHARDS, targets=given.ranges * 10 * RATE)
        begun = first_probe(pair, environment, large)
        print(f"{ranges(large):,} ranges in {SHARDS} shards: first probe after {begun:.1f} s of {BEGIN:.0f}")


if __name__ == "__main__":
    main()
