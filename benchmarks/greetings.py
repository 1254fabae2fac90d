"""How many hosts a worker greets a second, with the simulated internet on the same machine, and the machine's CPU time.

`python -m benchmarks.greetings [--engine E] [--rate R] [--density D] [--seconds S]`. A whole worker (`census work`) visits addresses
of which a share D are hosts, in a closed testbed; a greeting is complete when the host has been sent our request and its outcome
is a row. Per second of sending: probes, greetings, and the share of a core of each process, with the kernel's part of it.
*Others* is the rest of the machine: the kernel's work for no process in particular, and other programs. Frames without room are
lost SYNs, SYN-ACKs and requests: *dropped* there by the internet's ring, and here by ours. Next is the CPU time of a greeting in
all processes, by the owner of the code; and *frames alone*, the kernel's time for its frames if they are not read
(`benchmarks.frames`): the machine's limit. The last line is the same if the vantage *received by AF_XDP*, as no engine does.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.frames import least
from pipeline.engines import Engine
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.testbed.closed import NamespacePair, closed_pair, inside

PORT = 104
MIX = "{ accepts = 1, rejects = 1, http = 20, ssh = 5, tls = 5, silent = 50, resets = 10, closes = 8 }"
SWEEP = """\
sweep = {{ name = "greetings", ports = [{port}], seed = 5, rate = {rate}, shards = 1, sample = {targets}, profile = "echo" }}
targets = {{ include = ["11.0.0.0/{prefix}"] }}
probe = {{ cooldown = 4.0, engine = "{engine}" }}
loss = {{ sample = 0.0 }}
control = {{ sample = 0.0 }}
"""
WORLD = """\
[internet]
seed = 9

[[internet.block]]
addresses = ["11.0.0.0/{prefix}"]
ports = [{port}]
density = {density}
mix = {mix}
"""
TICK = os.sysconf("SC_CLK_TCK")
CORES = 2
#: Seconds of CPU, of a program's own and of the kernel for it; or both for each greeting or second.
Spent = NDArray[np.float64]
#: A worker's processes, in the order of their starts; further processes are the coordinator's helpers.
PROCESSES = ("engine-0", "associator", "writer")


def census(*arguments: object) -> list[str]:
    """A command of `census`."""
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def spent(pid: int) -> Spent:
    """The CPU time of a process; 0 if the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return np.zeros(2)
    return np.array([int(fields[11]), int(fields[12])]) / TICK


def busy() -> Spent:
    """The CPU time of the whole machine."""
    user, nice, system, _idle, _wait, *others = map(int, Path("/proc/stat").read_text().split()[1:9])
    return np.array([user + nice, system + sum(others)]) / TICK


def stages(pid: int) -> dict[str, int]:
    """The processes of a worker, by task."""
    forking = [child for child in children(pid) if "forkserver" in _read(Path(f"/proc/{child}/cmdline"))]
    forked = [child for parent in forking for child in children(parent)]
    return dict(zip(PROCESSES, forked, strict=False)) | {"coordinator": pid}


def children(pid: int) -> list[int]:
    """The processes that a process started, oldest first."""
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted(int(child) for path in paths for child in _read(path).split())


def _read(path: Path) -> str:
    """A file of a process; empty if it has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""


@contextmanager
def internet(pair: NamespacePair, world: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The simulated internet, while it plays."""
    command = [
        *inside(pair.world),
        sys.executable,
        "-m",
        "pipeline.testbed.internet.serve",
        str(world),
        *pair.addresses,
    ]
    playing = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        if not playing.stdout or playing.stdout.readline() != b"ready\n":
            raise SystemExit("the internet does not play")
        yield playing
    finally:
        playing.kill()
        playing.wait()


def observed(working: "subprocess.Popen[bytes]", playing: int) -> list[tuple[float, dict[str, Spent]]]:
    """The CPU time of each process, ten times a second until the worker ends, with the time since 1970."""
    seen = []
    while working.poll() is None:
        pids = stages(working.pid) | {"internet": playing}
        seen.append((time.time(), {name: spent(pid) for name, pid in pids.items()} | {"machine": busy()}))
        time.sleep(0.1)
    return seen


def shares(seen: list[tuple[float, dict[str, Spent]]], begin: float, end: float) -> dict[str, Spent]:
    """Cores that each process used during sending; `others` is the rest of the machine."""
    first, before = [each for each in seen if each[0] <= begin][-1]
    last, after = next(each for each in seen if each[0] >= end)
    had = {name: (after[name] - before.get(name, np.zeros(2))) / (last - first) for name in after}
    machine = had.pop("machine")
    return had | {"others": (machine - sum(had.values())).clip(0.0)}


class Swept(NamedTuple):
    """What a sweep of a simulated internet left: its receipts, CPU times, what the internet counted, and the environment of it all."""

    receipts: list[dict[str, Any]]
    seen: list[tuple[float, dict[str, Spent]]]
    played: dict[str, int]
    environment: dict[str, str]

    def total(self, name: str) -> Any:
        """The sum of a count of the receipts."""
        return sum(receipt[name] for receipt in self.receipts)


def swept(pair: NamespacePair, folder: Path, world: str, sweep: str) -> Swept:
    """Have a worker sweep a simulated internet, both as these texts say."""
    manifest, internets, config, plan, lake = (
        folder / name for name in ("manifest.json", "world.toml", "sweep.toml", "plan.json", "lake")
    )
    internets.write_text(world)
    config.write_text(sweep)
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
    subprocess.run(census("plan", config, "-o", plan), check=True, capture_output=True, env=environment)
    with internet(pair, internets, environment) as playing:
        command = [*inside(pair.vantage), *census("work", plan, "--lake", lake)]
        working = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seen = observed(working, playing.pid)
        if working.returncode:
            raise SystemExit(working.communicate()[1].decode()[-2000:])
        playing.send_signal(signal.SIGTERM)
        played = json.loads(playing.communicate(timeout=30)[0])
    receipts = [json.loads(path.read_bytes()) for path in lake.glob("work/*/receipts/*.json")]
    return Swept(receipts, seen, played, environment)


def measure(pair: NamespacePair, folder: Path, given: argparse.Namespace) -> None:
    """Sweep a world and print the figures."""
    values = {
        "prefix": 8,
        "density": given.density,
        "rate": given.rate,
        "port": PORT,
        "mix": MIX,
        "engine": given.engine,
    }
    targets = round(given.rate * given.seconds)
    done = swept(pair, folder, WORLD.format(**values), SWEEP.format(**values, targets=targets))
    has = report(done)
    for name, way in (("frames alone", Engine.RING), ("received by AF_XDP", Engine.XDP)):
        alone = least(pair, given.engine, has, done.environment, receive=way)
        print(f"{name:<20}{alone:>10.1f} µs a greeting: {CORES * 1e6 / alone:,.0f} a second on {CORES} cores")


def report(done: Swept) -> dict[str, float]:
    """Print the tables; return the number of frames of each kind for a greeting."""
    seconds, played = done.total("send_seconds"), done.played
    begin = min(receipt["started_at"] for receipt in done.receipts) / 1e6
    total = {name: done.total(name) for name in ("probes_sent", "greetings", "ring_dropped")}
    print(f"probes a second     {total['probes_sent'] / seconds:>10,.0f}")
    print(f"greetings a second  {total['greetings'] / seconds:>10,.0f}")
    print(f"dropped there       {played['dropped']:>10,} of {played['syns'] + played['dropped']:,}")
    print(f"dropped here        {total['ring_dropped']:>10,}")
    print(f"{'':<20}{'cores':>10}{'µs a greeting':>16}{'the kernel':>16}")
    had = shares(done.seen, begin, begin + seconds)
    took = {name: 1e6 * cores * seconds / total["greetings"] for name, cores in had.items()}
    for name, cores in had.items():
        print(f"{name:<20}{cores.sum():>10.2f}{took[name].sum():>16.1f}{took[name][1]:>16.1f}")
    del took["others"]
    program, kernel = sum(took.values())
    theirs = took["internet"][0]
    print(
        f"{'all processes':<20}{program + kernel:>10.1f} µs a greeting: ours {program - theirs:.1f}, the internet's {theirs:.1f}, "
        f"the kernel's {kernel:.1f}"
    )
    greetings = total["greetings"]
    others = played["received"] - played["connections"] - greetings
    counts = {"probes": total["probes_sent"], "requests": greetings, "segments": others, "answers": played["sent"]}
    has = {kind: count / greetings for kind, count in counts.items()}
    print(
        f"{'frames':<20}{sum(has.values()):>10.1f} a greeting: "
        + ", ".join(f"{kind} {each:.1f}" for kind, each in has.items())
    )
    return has


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=[engine for engine in Engine if engine.raw], default=Engine.RING)
    parser.add_argument("--rate", type=int, default=150_000)
    parser.add_argument("--density", type=float, default=0.4)
    parser.add_argument("--seconds", type=float, default=10.0)
    with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
        measure(pair, Path(folder), parser.parse_args())


if __name__ == "__main__":
    main()
