"""The cost of Prefect: the seconds that `census sweep` takes longer than `census work`, and the time until it begins to send.

`python -m benchmarks.flow [--shards N] [--ranges N]`. *Overhead* is all that the flow adds, including the start of its server,
verification, seal and enrichment, divided by the number of shards. *First probe* is the time from the start of the command, with
a plan of many ranges in 512 shards. Both run in a closed pair of namespaces where no host answers.
Prefect makes a new database, unless PREFECT_HOME names a folder with one.
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
from pipeline.status import workers
from pipeline.testbed.closed import NamespacePair, closed_pair, inside

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
    """Freeze a plan; returns its file."""
    config, plan = folder / f"{name}.toml", folder / f"{name}.json"
    config.write_text(SWEEP.format(name=name, rate=rate, shards=shards, targets=targets))
    subprocess.run([*CENSUS, "plan", config, "-o", plan], check=True, capture_output=True)
    return plan


def ranges(plan: Path) -> int:
    """The number of ranges of a plan."""
    walk = layout.read_plan(plan).walk()
    return sum(1 for shard in range(walk.shards) for _ in walk.ranges(shard))


def seconds(pair: NamespacePair, environment: dict[str, str], verb: str, plan: Path) -> float:
    """The seconds that a command takes for a whole plan."""
    began = time.monotonic()
    command = [*inside(pair.vantage), *CENSUS, verb, str(plan), "--lake", str(plan.with_suffix(f".{verb}"))]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


def first_probe(pair: NamespacePair, environment: dict[str, str], plan: Path) -> float:
    """The seconds until `census sweep` has sent a probe; the sweep is then interrupted."""
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
        sweeping.terminate()  # like Ctrl-C, which a background process ignores
        sweeping.wait(60)


def _probed(lake: Path) -> int:
    if not (lake / "plans").is_dir() or not layout.sweeps(lake):
        return 0
    return sum(worker.counts.get("probed", 0) for worker in workers.worker_progress(layout.find(lake, None)))


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--ranges", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, closed_pair() as pair:
        folder = Path(name)
        manifest = folder / "manifest.json"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        home = {"PREFECT_HOME": str(folder / "prefect")}
        environment = home | os.environ | {TESTBED: str(manifest), ONLY_TESTBED: "1"}
        small = planned(folder, "small", rate=10_000, shards=options.shards, targets=options.shards * 1_000)
        worked, swept = (seconds(pair, environment, verb, small) for verb in ("work", "sweep"))
        print(f"{options.shards} shards: census work {worked:.1f} s, census sweep {swept:.1f} s")
        print(f"overhead: {(swept - worked) / options.shards:.2f} s a shard of {OVERHEAD:.0f}", flush=True)
        large = planned(folder, "large", rate=RATE, shards=SHARDS, targets=options.ranges * 10 * RATE)
        begun = first_probe(pair, environment, large)
        print(f"{ranges(large):,} ranges in {SHARDS} shards: first probe after {begun:.1f} s of {BEGIN:.0f}")


if __name__ == "__main__":
    main()
