"""How evenly a worker sends: SYNs in each second and in each 10 ms, by the kernel's time stamps at the far end of a veth pair.

`python -m benchmarks.pace [--rates R …] [--seconds S]`. A whole worker (`census work`) visits addresses without hosts. *Off* is
the difference of the median second from the set rate; *most in 10 ms* is the fullest of all 10 ms, wherever they begin, of which
twice the rate is *allowed*. *Stalls* are pauses of the sender of over 10 ms: missed probes are lost and counted, not caught up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from pipeline.guard import sockets
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.rings.receive import ReceiveRing
from pipeline.testbed.closed import NamespacePair, closed_pair, inside
from pipeline.wire.packet import SYN

RATES = (1_000, 10_000, 100_000)
WINDOW = 0.010
SWEEP = """\
sweep = {{ name = "pace", ports = [104], seed = 5, rate = {rate}, shards = 1, sample = {targets} }}
targets = {{ include = ["11.0.0.0/8"] }}
probe = {{ cooldown = 0.5 }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
"""
ETH_P_ALL = 3
#: How long the far end waits for the first SYN, and after the last SYN, in seconds.
FIRST, LAST = 30.0, 1.0


def receive(file: Path) -> None:
    """Record the arrival times of SYNs, until none has arrived for a while."""
    ring, seen = ReceiveRing(sockets.packet_socket("world0", ETH_P_ALL)), []
    print("ready", flush=True)
    until = time.monotonic() + FIRST
    while time.monotonic() < until:
        received = ring.read()
        if len(received.packets):
            seen.append(received.seen_at[received.packets[:, 33] == SYN])
            until = time.monotonic() + LAST
        else:
            time.sleep(0.001)
    np.save(file, np.concatenate(seen))


def arrivals(pair: NamespacePair, folder: Path, rate: int, seconds: float) -> tuple[np.ndarray, int]:
    """The arrival times of a worker's SYNs, in seconds, and the number of its stalls."""
    config, plan, lake, file = (folder / name for name in ("sweep.toml", "plan.json", "lake", "seen.npy"))
    config.write_text(SWEEP.format(rate=rate, targets=round(rate * seconds)))
    manifest = folder / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
    census = [sys.executable, "-m", "pipeline"]
    subprocess.run([*census, "plan", config, "-o", plan], check=True, capture_output=True)
    there = [*inside(pair.world), sys.executable, "-m", "benchmarks.pace", "--receive", file]
    receiving = subprocess.Popen(there, env=environment, stdout=subprocess.PIPE)
    if not receiving.stdout or receiving.stdout.readline() != b"ready\n":
        raise SystemExit("the far end does not listen")
    work = [*inside(pair.vantage), *census, "work", plan, "--lake", lake]
    subprocess.run(work, check=True, env=environment, capture_output=True)
    receiving.wait(60)
    receipts = (json.loads(path.read_bytes()) for path in lake.glob("work/*/receipts/*.json"))
    return np.sort(np.load(file)), sum(receipt["stalls"] for receipt in receipts)


def row(seen: np.ndarray, stalls: int, rate: int) -> str:
    """A line of the table."""
    whole = np.bincount((seen - seen[0]).astype(int))[1:-1]
    median = float(np.median(whole)) if len(whole) else float("nan")
    fullest = int((np.searchsorted(seen, seen + WINDOW) - np.arange(len(seen))).max())
    allowed = max(2, round(2 * rate * WINDOW))
    return f"{rate:>9,}{median:>14,.0f}{median / rate - 1:>+9.2%}{fullest:>17,}{allowed:>9,}{stalls:>8,}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--receive", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.receive:
        receive(given.receive)
        return
    print(f"{'set rate':>9}{'median second':>14}{'off':>9}{'most in 10 ms':>17}{'allowed':>9}{'stalls':>8}", flush=True)
    for rate in given.rates:
        with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
            print(row(*arrivals(pair, Path(folder), rate, given.seconds), rate), flush=True)


if __name__ == "__main__":
    main()
