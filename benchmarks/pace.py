"""How evenly a worker sends: SYNs in each second and in each 10 ms, by the clock of the far end of a veth pair.

`python -m benchmarks.pace [--rates R …] [--seconds S] [--engine E]`. A whole worker (`census work`) visits addresses without hosts.
An XDP program at the far end counts SYNs by the tenth of a millisecond in which they come, so at no rate is one missed. *Off* is the
difference of the median second from the set rate; *most in 10 ms* is the fullest of all 10 ms, wherever they begin, of which twice
the rate is *allowed*. *Stalls* are pauses of the sender of over 10 ms: missed probes are lost and counted, not caught up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks import far_end
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


def arrivals(
    pair: NamespacePair, folder: Path, rate: int, seconds: float, engine: str
) -> tuple[NDArray[np.uint32], int]:
    """How many SYNs of a worker arrive in each bucket of time, and the number of its stalls."""
    config, plan, lake, manifest = (folder / name for name in ("sweep.toml", "plan.json", "lake", "manifest.json"))
    config.write_text(SWEEP.format(rate=rate, targets=round(rate * seconds), engine=engine))
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
    census = [sys.executable, "-m", "pipeline"]
    subprocess.run([*census, "plan", config, "-o", plan], check=True, capture_output=True)
    seen = far_end.Arrivals(pair.world, "world0")
    work = [*inside(pair.vantage), *census, "work", plan, "--lake", lake]
    subprocess.run(work, check=True, env=environment, capture_output=True)
    seen.close()
    receipts = [json.loads(path.read_bytes()) for path in lake.glob("work/*/receipts/*.json")]
    if engine != Engine.AUTO and {receipt["engine"] for receipt in receipts} != {engine}:
        raise SystemExit(f"this machine has no rings of engine {engine}")
    return seen.counts(), sum(receipt["stalls"] for receipt in receipts)


def row(seen: NDArray[np.uint32], stalls: int, rate: int) -> str:
    """A line of the table. Any 10 ms lie in one bucket more than they are long."""
    total = np.concatenate([[0], np.cumsum(seen, dtype=np.int64)])
    whole = np.diff(total[:: 10**9 // far_end.BUCKET_NS])[1:]
    median = float(np.median(whole)) if len(whole) else float("nan")
    window = round(WINDOW * 1e9) // far_end.BUCKET_NS + 1
    fullest = int((total[window:] - total[:-window]).max()) if len(total) > window else int(total[-1])
    allowed = max(2, round(2 * rate * WINDOW))
    return f"{rate:>9,}{median:>14,.0f}{median / rate - 1:>+9.2%}{fullest:>17,}{allowed:>9,}{stalls:>8,}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--engine", choices=[str(engine) for engine in Engine], default=str(Engine.AUTO))
    given = parser.parse_args()
    print(f"{'set rate':>9}{'median second':>14}{'off':>9}{'most in 10 ms':>17}{'allowed':>9}{'stalls':>8}", flush=True)
    for rate in given.rates:
        with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
            print(row(*arrivals(pair, Path(folder), rate, given.seconds, given.engine), rate), flush=True)


if __name__ == "__main__":
    main()
