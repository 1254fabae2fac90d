"""Sweeps from a vantage whose machine is set up otherwise, or is disturbed meanwhile."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipeline.guard.proof import TESTBED
from pipeline.testbed import spec, truth
from pipeline.testbed.closed import NamespacePair, closed_pair, configure, inside
from pipeline.testbed.world import started_world
from pipeline.views import connection
from tests.testbed.running import CENSUS, ROOT, environment, frozen

#: A simulated internet with hosts of several kinds.
WORLD = """
[internet]
seed = 7
delays = [0.0, 0.03]
persistent = 1.0

[[internet.block]]
addresses = ["11.0.0.0/19"]
ports = [104]
density = 0.05
country = "GB"
mix = { accepts = 4, rejects = 2, http = 4, silent = 2, resets = 2, closes = 2 }
"""
SWEEP = """
[sweep]
name = "vantage"
ports = [104]
seed = 5
rate = {rate}
shards = 1
profile = "echo"

[targets]
include = ["{targets}"]

[loss]
sample = 0.0

[control]
sample = 0.0

[alarm]
false_alarms = 0.0

[probe]
cooldown = 2.0
{probe}
"""
#: Seconds that a sweep may take on a busy machine.
LONGEST = 240


@dataclass(frozen=True, slots=True)
class Place:
    """A closed pair, a folder, and the environment of processes in it."""

    pair: NamespacePair
    folder: Path
    environment: Mapping[str, str]

    def vantage(self, script: str, *tool: str) -> None:
        """Run a script of `ip`, or of another tool, at the vantage."""
        configure(self.pair.vantage, script, tool=tool or ("ip", "-batch", "-"))

    def world(self, script: str, *tool: str) -> None:
        """Run a script of `ip`, or of another tool, in the world."""
        configure(self.pair.world, script, tool=tool or ("ip", "-batch", "-"))


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that has ended: its exit code, its lake, what it said, and why its sender waited, each reason once."""

    code: int
    lake: Path
    said: str
    reasons: tuple[str, ...]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The result of a query over its lake."""
        with connection.connect(self.lake) as con:
            return con.execute(query).fetchall()

    def outcomes(self) -> dict[tuple[int, int], str]:
        """The outcome of each target that has one."""
        return {(ip, port): outcome for ip, port, outcome in self.rows("SELECT ip, port, outcome FROM responses")}


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A closed pair, with nothing in its world."""
    with closed_pair() as pair:
        (folder / "manifest.json").write_bytes(msgspec.json.encode(pair.manifest))
        yield Place(pair, folder, environment(folder) | {TESTBED: str(folder / "manifest.json")})


@contextmanager
def internet(at: Place) -> Iterator[dict[tuple[int, int], str]]:
    """The simulated internet in the world of a place; the outcome that each of its hosts has."""
    (at.folder / "world.toml").write_text(WORLD)
    loaded = spec.load(at.folder / "world.toml")
    with started_world(at.pair, loaded, at.folder, at.folder / "world.toml", at.environment):
        yield {(row.address, row.port): row.outcome for row in truth.truth(loaded, (104,)) if row.outcome}


@contextmanager
def running(at: Place, module: str, *arguments: str) -> Iterator[None]:
    """A module of the tests runs in the world, from when it says that it is up."""
    command = [*inside(at.pair.world), sys.executable, "-m", f"tests.end_to_end.{module}", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=at.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "up\n"
        try:
            yield
        finally:
            process.kill()


def sweep(
    at: Place, *, targets: str = "11.0.0.0/19", rate: int = 4000, probe: str = "",
    meanwhile: Callable[[Path], None] | None = None, before: tuple[str, ...] = (),
) -> Swept:  # fmt: skip
    """Sweep from the vantage. `meanwhile` is called with the lake once probes are being sent; `before` is a command's prefix."""
    (at.folder / "sweep.toml").write_text(SWEEP.format(targets=targets, rate=rate, probe=probe))
    frozen(at.folder / "sweep.toml", at.folder / "plan.json")
    lake, reasons, log = at.folder / "lake", dict[str, None](), at.folder / "log"
    work = [*CENSUS, "work", str(at.folder / "plan.json"), "--lake", str(lake)]
    until = time.monotonic() + LONGEST
    with log.open("w") as said:
        process = subprocess.Popen(
            [*inside(at.pair.vantage), *before, *work], cwd=ROOT, env=at.environment, stdout=said, stderr=said
        )
        disturbing: Future[None] | None = None
        with ThreadPoolExecutor(1) as aside:
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
                progress = _progress(lake)
                if meanwhile and not disturbing and progress.get("counts", {}).get("probed"):
                    disturbing = aside.submit(meanwhile, lake)
                reasons[progress.get("held", "")] = None
            if process.poll() is None:
                process.kill()
    assert disturbing or not meanwhile, log.read_text()
    if disturbing:
        disturbing.result()
    return Swept(process.wait(), lake, log.read_text(), tuple(reason for reason in reasons if reason))


def _progress(lake: Path) -> dict[str, Any]:
    """The worker's progress; nothing if it has written none."""
    for path in lake.glob("work/*/progress/*.json"):
        try:
            return dict(msgspec.json.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError):
            continue
    return {}
