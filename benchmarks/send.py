"""SYNs a second through a veth pair, counted at the far end: ours, ZMap's and masscan's, with one and two senders, in one run.

`python -m benchmarks.send [--seconds S]`. All programs visit the public IPv4 space on port 104 as fast as they can, in a closed
pair of namespaces without hosts. "xdp" is our engine with that name. "unfilled" sends the same frames again without touching
them: the kernel's time is the machine's limit. Each figure is the median of alternating rounds. Two senders of masscan are
two processes with a shard each. `ZMAP=` names another zmap to measure. Filling is timed separately: permutation, exclusion,
validation, sampling for second and control SYNs, and checksums; for the whole Internet and for blocks of targets of every size, with
the process's memory.
"""

import argparse
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from pipeline.engines import Engine
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.probe.extra_probes import CONTROL, SECOND, ExtraProbe, ExtraProbes, cookie_secret
from pipeline.probe.probes import Probes
from pipeline.probe.sampling import disjoint_samples
from pipeline.rings.open import open_rings
from pipeline.rings.xdp import PROBES
from pipeline.space import address_list, blocklist
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, NamespacePair, closed_pair, inside
from pipeline.wire import packet
from pipeline.wire.cookie import Secret

BATCH = 8192
PORT = 104
SENDERS = (1, 2)
#: Our senders: the engine of each, and whether each frame is filled again.
OURS = {
    "dicom-census": {"engine": Engine.RING, "filled": True},
    "unfilled": {"engine": Engine.RING, "filled": False},
    "dicom-census, xdp": {"engine": Engine.XDP, "filled": True},
    "unfilled, xdp": {"engine": Engine.XDP, "filled": False},
}
THEIRS = ("zmap", "masscan")
#: The pair has one queue, and the queue has one owner.
MOST = {"dicom-census, xdp": 1, "unfilled, xdp": 1}
WARM_SECONDS, START_SECONDS = 1.5, 30.0
#: Filling is timed in PARTS parts of PART batches each.
PARTS, PART = 20, 20
#: Target spaces of every size, all in this block, which has no special-purpose address.
PREFIXES, BLOCK = (16, 12, 8, 4), 16 << 24


def walk(shards: int, space: Ranges | None = None) -> Walk:
    """The public IPv4 space, or another, on one port."""
    space = space or Ranges.of([(0, 2**32 - 1)]).subtract(blocklist.special_purpose().ranges)
    order = Permutation.seeded(space.count, 7)
    return Walk(Space.over(space), order, ports=(PORT,), addresses=space.count, shards=shards, range_targets=BATCH)


def mac(text: str) -> bytes:
    """Six bytes."""
    return bytes.fromhex(text.replace(":", ""))


def template() -> bytes:
    """The frame of a probe in the pair."""
    address = address_list.parse(VANTAGE_ADDRESS, "here")[0]
    return packet.template(packet.Link(mac(VANTAGE_MAC), mac(WORLD_MAC), address))


def extra_probes() -> ExtraProbes:
    """The extra probes of a census, by default: a second SYN for one target in a hundred, and a control SYN for another one."""
    key = bytes(range(16))
    second, control = disjoint_samples(0.01, 0.01)
    kinds = (
        ExtraProbe(SECOND, cookie_secret(SECOND, key), second, 3.0),
        ExtraProbe(CONTROL, cookie_secret(CONTROL, key), control, 0.0, 50_000, PORT),
    )
    return ExtraProbes(kinds, Secret.derived(key, "choice"))


def send(shard: int, shards: int, *, engine: Engine, filled: bool) -> None:
    """Send until killed; unfilled frames are those of the ring's first turn."""
    targets, secret, ids = walk(shards), Secret.of(bytes(range(16))), np.random.default_rng()
    ring = open_rings(engine, "vantage0", template(), ()).probes
    if ring.engine is not engine:
        raise SystemExit(f"this machine has no rings of engine {engine}")
    sums, extra = packet.Sums.over(template()), extra_probes()
    at = 0
    while True:
        count = ring.room(BATCH)
        frames = ring.frames(count)
        if filled or at < PROBES:
            probes = Probes.of(secret, *targets.targets(shard, at, at + count))
            extra.schedule(1, np.arange(count), probes, 0.0)
            extra.clear()
            numbers = ids.integers(0, 65536, count, dtype=np.uint16)
            packet.fill(frames, sums, probes.addresses, probes.ports, probes.cookie, numbers)
        ring.send(count)
        at += count


def filling(targets: Walk) -> float:
    """Nanoseconds of CPU to fill a frame; a small space is walked again and again.

    The fastest part counts, since other programs use the machine too.
    """
    secret, ids = Secret.of(bytes(range(16))), np.random.default_rng()
    sums, extra, positions = packet.Sums.over(template()), extra_probes(), np.arange(BATCH)
    slots = np.zeros(
        BATCH, dtype=np.dtype({"names": ["frame"], "formats": [packet.FRAME], "offsets": [32], "itemsize": 128})
    )
    spent = []
    for number in range(PARTS * PART):
        began = time.process_time()
        begin = number * BATCH % targets.addresses
        probes = Probes.of(secret, *targets.targets(0, begin, begin + BATCH))
        extra.schedule(1, positions, probes, float(number))
        numbers = ids.integers(0, 65536, BATCH, dtype=np.uint16)
        packet.fill(slots["frame"], sums, probes.addresses, probes.ports, probes.cookie, numbers)
        spent.append(time.process_time() - began)
    return 1e9 * min(sum(spent[begin : begin + PART]) for begin in range(0, len(spent), PART)) / PART / BATCH


def print_filling(prefix: int) -> None:
    """Nanoseconds to fill a frame for a block of targets, and the largest resident set of this process in MB."""
    block = Ranges.of([(BLOCK, BLOCK + (1 << 32 - prefix) - 1)])
    print(f"{filling(walk(1, block)):.0f} ns, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def filling_of(prefix: int) -> str:
    """The output of a separate process for a block of targets."""
    command = [sys.executable, "-m", "benchmarks.send", "--fill", str(prefix)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commands(name: str, senders: int, blacklist: Path) -> list[list[str]]:
    """The commands to run in the vantage's namespace, one per process."""
    shared = f"--source-ip={VANTAGE_ADDRESS} --gateway-mac={WORLD_MAC} --interface=vantage0"
    if name == "zmap":
        program = os.environ.get("ZMAP", "zmap")
        text = f"{program} -p {PORT} -b {blacklist} {shared} -T {senders} --rate=10000000 -o /dev/null --quiet"
        return [shlex.split(text)]
    if name == "masscan":
        text = (
            f"masscan 0.0.0.0/0 -p{PORT} --excludefile {blacklist} --rate 10000000 --wait 0 --interface vantage0 "
            f"--source-ip {VANTAGE_ADDRESS} --router-mac {WORLD_MAC.replace(':', '-')}"
        )
        return [shlex.split(f"{text} --shards {number + 1}/{senders}") for number in range(senders)]
    ours = [sys.executable, "-m", "benchmarks.send", "--as", name]
    return [[*ours, "--shard", str(number), "--shards", str(senders)] for number in range(senders)]


def received(pair: NamespacePair) -> int:
    """Packets that have arrived at the far end by now."""
    lines = Path(f"/proc/{pair.world}/net/dev").read_text().splitlines()
    return next(int(line.split()[2]) for line in lines if line.strip().startswith("world0:"))


def wait_for_the_first(pair: NamespacePair) -> None:
    """Wait until a sender's frames arrive: on a busy machine a sender starts slowly."""
    before, until = received(pair), time.monotonic() + START_SECONDS
    while received(pair) == before and time.monotonic() < until:
        time.sleep(0.05)


def rate(
    pair: NamespacePair, name: str, senders: int, seconds: float, blacklist: Path, environment: dict[str, str]
) -> float:
    """Frames a second at the far end."""
    running = [
        subprocess.Popen(
            [*inside(pair.vantage), *command],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for command in commands(name, senders, blacklist)
    ]  # fmt: skip
    try:
        wait_for_the_first(pair)
        time.sleep(WARM_SECONDS)
        before, began = received(pair), time.perf_counter()
        time.sleep(seconds)
        after, ended = received(pair), time.perf_counter()
        if any(process.poll() is not None for process in running):
            raise SystemExit(f"{name} ended before its time")
        return (after - before) / (ended - began)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as", dest="name", choices=OURS, help=argparse.SUPPRESS)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--shard", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--shards", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        print_filling(given.fill)
        return
    if given.name:
        send(given.shard, given.shards, **OURS[given.name])  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
        manifest, blacklist = Path(folder) / "manifest.json", Path(folder) / "blacklist"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        blacklist.write_text("".join(f"{entry.text}\n" for entry in blocklist.special_purpose().entries))
        environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
        print(f"filling a frame: {filling(walk(1)):.0f} ns")
        for prefix in PREFIXES:
            print(f"  for a /{prefix} of targets: {filling_of(prefix)}")
        print(f"{'sender':<18}{'senders':>8}{'SYNs/s':>12}{'ours is':>10}")
        for senders in SENDERS:
            seen: dict[str, list[float]] = {name: [] for name in (*OURS, *THEIRS) if senders <= MOST.get(name, senders)}
            for _ in range(given.rounds):
                for name in seen:
                    seen[name].append(rate(pair, name, senders, given.seconds, blacklist, environment))
            medians = {name: statistics.median(rates) for name, rates in seen.items()}
            for name, figure in medians.items():
                print(f"{name:<18}{senders:>8}{figure:>12,.0f}{medians['dicom-census'] / figure:>9.2f}×")


if __name__ == "__main__":
    main()
