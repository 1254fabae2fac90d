"""Index → address and port: nanoseconds a target, compared with ZMap's dry run and masscan's list scan of the same set.

`python -m benchmarks.walk [--blocks N]`. 300 ranges are included and 5,000 excluded, two ports. Our walk is timed in batches of
8,192 on one core. ZMap and masscan cannot walk without printing; ZMap walks one port, masscan one port after another. Their
figure is the wall time of the whole process a target, including printing to /dev/null, so the ratio favours the program that
prints less. Memory is the largest resident set of a process that only walks, including Python and numpy, for a small
space and for the whole Internet.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np

from pipeline.space import blocklist
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk

BATCH = 8192
PORTS = (104, 11112)
EXCLUDED = 5000
BLOCK_BITS = 13
LINK = (
    "ip link add probe0 type veth peer name probe1 && ip address add 198.18.0.1/30 dev probe0 && ip link set probe0 up && "
    "ip link set probe1 up && ip route add default via 198.18.0.2 && "
)


def sets(included: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Included blocks of 8,192 addresses, and 5,000 excluded blocks of 1 to 16 addresses in them, as (first, prefix length)."""
    random = np.random.default_rng(1)
    allowed = Ranges.of([(0, 2**32 - 1)]).subtract(blocklist.special_purpose().ranges)
    starts = np.unique(random.integers(0, 2**32 >> BLOCK_BITS, included * 2) << BLOCK_BITS)
    blocks = starts[allowed.contains(starts) & allowed.contains(starts + (1 << BLOCK_BITS) - 1)][:included]
    bits = random.integers(0, 5, EXCLUDED)
    inside = random.choice(blocks, EXCLUDED) + (random.integers(0, 1 << BLOCK_BITS, EXCLUDED) >> bits << bits)
    whole = [(int(first), 32 - BLOCK_BITS) for first in blocks]
    return whole, [(int(first), 32 - int(size)) for first, size in zip(inside, bits, strict=True)]


def ranges(blocks: list[tuple[int, int]]) -> Ranges:
    """The union of blocks."""
    return Ranges.of((first, first + (1 << 32 - length) - 1) for first, length in blocks)


def walk_of(space: Ranges) -> Walk:
    """One shard of all ports."""
    order = Permutation.seeded(space.count, 7)
    return Walk(Space.over(space), order, ports=PORTS, addresses=space.count, shards=1, range_targets=BATCH)


def ours(space: Ranges, most: int) -> float:
    """Nanoseconds a target."""
    walk = walk_of(space)
    targets = min(space.count * len(PORTS), most)
    walk.targets(0, 0, BATCH)
    began = time.perf_counter()
    for begin in range(0, targets, BATCH):
        walk.targets(0, begin, min(begin + BATCH, targets))
    return 1e9 * (time.perf_counter() - began) / targets


def theirs(command: str, targets: int) -> float:
    """Nanoseconds a target of a whole process, in a network namespace without a route out."""
    script = f"{LINK} exec {command} >/dev/null"
    began = time.perf_counter()
    subprocess.run(["unshare", "--net", "sh", "-c", script], check=True, stderr=subprocess.DEVNULL)
    return 1e9 * (time.perf_counter() - began) / targets


def memory(kind: str) -> float:
    """Largest resident set, in MB, of a process that only walks 100 batches."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.walk", "--memory", kind], capture_output=True, check=True
    )
    return float(process.stdout)


def walk_and_print(kind: str) -> None:
    """Walk, and print the largest resident set in MB."""
    if kind == "nothing":
        space = None
    elif kind == "small":
        included, excluded = sets(3)
        space = ranges(included).subtract(ranges(excluded))
    else:
        _, excluded = sets(300)
        space = Ranges.of([(0, 2**32 - 1)]).subtract(blocklist.special_purpose().ranges).subtract(ranges(excluded))
    if space:
        ours(space, 100 * BATCH)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=300)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        walk_and_print(options.memory)
        return
    included, excluded = sets(options.blocks)
    space = ranges(included).subtract(ranges(excluded))
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in ("in", "out")}
        for path, blocks in zip(paths.values(), (included, excluded), strict=True):
            path.write_text("".join(f"{IPv4Address(first)}/{length}\n" for first, length in blocks))
        zmap = (
            f"zmap --dryrun --target-port=104 -w {paths['in']} -b {paths['out']} --interface=probe0 --source-ip=198.18.0.1 "
            "--gateway-mac=02:00:00:00:00:02 --cooldown-time=0 --quiet"
        )
        masscan = f"masscan -sL --includefile {paths['in']} --excludefile {paths['out']}"
        figures = {
            "dicom-census": ours(space, 1 << 24),
            "zmap --dryrun": theirs(zmap, space.count),
            "masscan -sL": theirs(masscan, space.count),
        }
    print(f"{len(included)} ranges included, {len(excluded)} excluded: {space.count:,} addresses, {len(PORTS)} ports")
    for name, figure in figures.items():
        print(f"{name:<16}{figure:>10.1f} ns a target{figure / figures['dicom-census']:>10.1f} × ours")
    print("memory: " + ", ".join(f"{memory(kind):.0f} MB ({kind})" for kind in ("nothing", "small", "Internet")))


if __name__ == "__main__":
    main()
