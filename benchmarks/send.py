"""SYNs a second through a veth pair, counted at the far end: ours, ZMap's and masscan's, with one and two senders, in one run.

`python -m benchmarks.send [--seconds S]`. All programs visit the public IPv4 space on port 104 as fast as they can, in a closed
pair of namespaces without hosts, whose far end drops every frame by XDP. "xdp" and "xdp-live" are our engines with these names.
"unfilled" sends the same frames again without touching them: the kernel's time is the machine's limit. For "xdp-live" that includes
the program that writes the probes; "live frames alone" runs one that writes nothing, and xdp-trafficgen, where it runs, is somebody
else's. Each figure is the
median of alternating rounds. Two senders of masscan are two processes with a shard each. `ZMAP=` names another zmap to measure.

The times of CPU are those of the senders' processes; in the kernel, theirs include what the far end costs. Filling is also timed
separately: permutation, exclusion, validation, sampling for second and control SYNs, and checksums; for the whole Internet and for
blocks of targets of every size, with the process's memory.
"""

import argparse
import os
import resource
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks import far_end
from pipeline.bpf import kernel
from pipeline.bpf.kernel import ProgramType, XdpAction
from pipeline.engines import Engine
from pipeline.guard import sockets
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.probe.extra_probes import CONTROL, SECOND, ExtraProbe, ExtraProbes
from pipeline.probe.probes import ProbeBuffer, Probes
from pipeline.probe.sampling import disjoint_samples
from pipeline.rings.live_frames import BATCH as LIVE_BATCH
from pipeline.rings.live_frames import in_dispatcher
from pipeline.rings.live_program import redirect_program
from pipeline.rings.open import open_rings
from pipeline.rings.xdp import PROBES
from pipeline.space import address_list, blocklist
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Walk
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, NamespacePair, closed_pair, inside
from pipeline.wire import packet
from pipeline.wire.cookie import ProbeKind, Secret, bake

BATCH = 8192
PORT = 104
SENDERS = (1, 2)
#: Live frames whose program only redirects them: the machine's limit.
ALONE = "live frames alone"
#: Debian's package xdp-tools has it.
TRAFFICGEN = "xdp-trafficgen"
#: Our senders: the engine of each, and whether each frame is filled again.
OURS = {
    "dicom-census": {"engine": Engine.RING, "filled": True},
    "unfilled": {"engine": Engine.RING, "filled": False},
    "dicom-census, xdp": {"engine": Engine.XDP, "filled": True},
    "unfilled, xdp": {"engine": Engine.XDP, "filled": False},
    "dicom-census, xdp-live": {"engine": Engine.XDP_LIVE, "filled": True},
    "unfilled, xdp-live": {"engine": Engine.XDP_LIVE, "filled": False},
}
THEIRS = ("zmap", "masscan", TRAFFICGEN)
#: The pair has one queue, and the queue has one owner.
MOST = {"dicom-census, xdp": 1, "unfilled, xdp": 1}
#: The row that others are compared with.
OURS_IS = "dicom-census, xdp-live"
TICKS = os.sysconf("SC_CLK_TCK")
WARM_SECONDS, START_SECONDS = 1.5, 30.0
#: Filling is timed in PARTS parts of PART batches each.
PARTS, PART = 20, 20
#: Target spaces of every size, all in this block, which has no special-purpose address.
PREFIXES, BLOCK = (16, 12, 8, 4), 16 << 24


def walk(shards: int, space: Ranges | None = None) -> Walk:
    """The public IPv4 space, or another, on one port."""
    space = space or Ranges.of([(0, 2**32 - 1)]).subtract(blocklist.special_purpose().ranges)
    order = Permutation.seeded(space.count, 7)
    return Walk(Space.over(space), order, ports=(PORT,), addresses=space.count, shards=shards, range_targets=2**32)


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
        ExtraProbe(SECOND, Secret.of(key, kind=ProbeKind.SECOND), second, 3.0),
        ExtraProbe(CONTROL, Secret.of(key, kind=ProbeKind.CONTROL), control, 0.0, 50_000, PORT),
    )
    return ExtraProbes(kinds, Secret.derived(key, "choice"))


def send(shard: int, shards: int, *, engine: Engine, filled: bool) -> None:
    """Send until killed; unfilled frames are those of the ring's first turn."""
    targets, secret, extra = walk(shards), Secret.of(bytes(range(16))), extra_probes()
    ring = open_rings(engine, "vantage0", template(), ()).probes
    if ring.engine is not engine:
        raise SystemExit(f"this machine has no rings of engine {engine}")
    (range_,) = targets.ranges(shard)
    buffer, at = ProbeBuffer(targets, secret, bakes=not ring.bakes), 0
    while True:
        count = ring.room(BATCH)
        if not filled and at >= PROBES:
            ring.send(count)
            continue
        for probes in buffer.take(range_, at, count):
            ring.fill(probes.addresses, probes.ports, secret, probes.cookie)
            ring.send(len(probes))
            extra.schedule(1, np.arange(len(probes)), probes, ring.tags, 0.0)
            extra.clear()
        at += count


def send_alone() -> None:
    """Send live frames that nobody writes, until killed."""
    devices = sockets.device_map("vantage0")
    program = kernel.load(ProgramType.XDP, redirect_program(devices.fileno()))
    kept = in_dispatcher(program)
    while kept:
        kernel.run_live(program, template(), BATCH, LIVE_BATCH)


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
        probes = Probes(*targets.targets(0, begin, begin + BATCH), secret)
        cookie = bake(secret, probes.addresses, probes.ports)
        extra.schedule(1, positions, probes, cookie.sequence, float(number))
        numbers = ids.integers(0, 65536, BATCH, dtype=np.uint16)
        packet.fill(slots["frame"], sums, probes.addresses, probes.ports, cookie, numbers)
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
    if name == TRAFFICGEN:
        text = f"xdp-trafficgen udp -m {WORLD_MAC} vantage0 -t {senders}"
        return [shlex.split(text)]
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


class Rate(NamedTuple):
    """Frames a second at the far end, and nanoseconds of CPU that each cost the sender's processes, in user space and the kernel."""

    frames: float
    user: float
    system: float


def spent(pids: Sequence[int]) -> tuple[int, int]:
    """Ticks of CPU that processes have used, in user space and in the kernel (proc_pid_stat(5))."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) for field in fields), sum(int(field[12]) for field in fields)


def rate(
    pair: NamespacePair, name: str, senders: int, seconds: float, blacklist: Path, environment: dict[str, str]
) -> Rate:
    """How fast a program is."""
    running = [
        subprocess.Popen(
            [*inside(pair.vantage), *command],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for command in commands(name, senders, blacklist)
    ]  # fmt: skip
    pids = [process.pid for process in running]
    try:
        wait_for_the_first(pair)
        time.sleep(min(WARM_SECONDS, seconds))
        before, used, began = received(pair), spent(pids), time.perf_counter()
        time.sleep(seconds)
        after, now_used, ended = received(pair), spent(pids), time.perf_counter()
        if any(process.poll() is not None for process in running):
            raise SystemExit(f"{name} ended before its time")
        user, system = (
            1e9 * (now - then) / TICKS / max(1, after - before) for now, then in zip(now_used, used, strict=True)
        )
        return Rate((after - before) / (ended - began), user, system)
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def middle(rates: Sequence[Rate]) -> Rate:
    """The medians of several rounds."""
    return Rate(*(statistics.median(column) for column in zip(*rates, strict=True)))


def contestants(senders: int) -> list[str]:
    """The programs that can send with so many senders, as far as they are there."""
    return [name for name in (*OURS, ALONE, *THEIRS) if senders <= MOST.get(name, senders) and runs(name)]


def runs(name: str) -> bool:
    """Whether a program runs on this machine: xdp-trafficgen 1.3 does not on kernels that have no tracepoint of its choice."""
    return name != TRAFFICGEN or bool(
        shutil.which(name) and subprocess.run([name, "probe"], check=False, capture_output=True).returncode == 0
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as", dest="name", choices=(*OURS, ALONE), help=argparse.SUPPRESS)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--shard", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--shards", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        print_filling(given.fill)
        return
    if given.name == ALONE:
        send_alone()
    if given.name:
        send(given.shard, given.shards, **OURS[given.name])  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
        manifest, blacklist = Path(folder) / "manifest.json", Path(folder) / "blacklist"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        blacklist.write_text("".join(f"{entry.text}\n" for entry in blocklist.special_purpose().entries))
        environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
        link = far_end.attach(pair.world, "world0", XdpAction.DROP)
        print(f"filling a frame: {filling(walk(1)):.0f} ns")
        for prefix in PREFIXES:
            print(f"  for a /{prefix} of targets: {filling_of(prefix)}")
        print(f"{'sender':<24}{'senders':>8}{'SYNs/s':>12}{'user ns':>9}{'kernel ns':>11}{'xdp-live is':>13}")
        for senders in SENDERS:
            names = contestants(senders)
            seen: dict[str, list[Rate]] = {name: [] for name in names}
            for _ in range(given.rounds):
                for name in names:
                    seen[name].append(rate(pair, name, senders, given.seconds, blacklist, environment))
            medians = {name: middle(rates) for name, rates in seen.items()}
            for name, (frames, user, system) in medians.items():
                ours = medians[OURS_IS].frames / frames
                print(f"{name:<24}{senders:>8}{frames:>12,.0f}{user:>9,.0f}{system:>11,.0f}{ours:>12.2f}×")
        link.close()


if __name__ == "__main__":
    main()
