"""Run census in a testbed, and read its captures."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from ipaddress import IPv4Address
from pathlib import Path

import dpkt

from pipeline.lake import layout
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.sweep import enrichment, freeze, run

ROOT = Path(__file__).parents[2]
CENSUS = [sys.executable, "-m", "pipeline"]
VANTAGE = IPv4Address("198.18.0.1").packed


def in_testbed(*command: str, capture: Path | None = None, spec: Path | None = None) -> list[str]:
    """The command that runs census in a testbed (the demo's, or that of a spec), with an optional capture."""
    captured = ["--capture", str(capture)] if capture else []
    played = ["--spec", str(spec)] if spec else []
    return [*CENSUS, "testbed", "run", *played, *captured, "--", *CENSUS, *command]


#: A new Prefect database from `make setup`; copying this database saves 15 s of CPU.
DATABASE = ROOT / ".venv" / "prefect" / "prefect.db"


def environment(folder: Path) -> dict[str, str]:
    """The environment: only testbeds can be reached, and Prefect's database and the program's state are in the folder."""
    home = folder / "prefect"
    home.mkdir(exist_ok=True)
    if DATABASE.exists() and not (home / DATABASE.name).exists():
        shutil.copy(DATABASE, home)
    own = {"PREFECT_HOME": str(home), "XDG_STATE_HOME": str(folder / "state")}
    return os.environ | {"CENSUS_ONLY_TESTBED": "1"} | own


def frozen(config: Path, file: Path) -> Plan:
    """The plan of a configuration, also written to a file, as `census plan` does it; that starts a process less."""
    plan = freeze.freeze(config)
    file.write_bytes(planning.encode(plan))
    return plan


def swept(config: Path, folder: Path, *, spec: Path, capture: Path | None = None) -> layout.SweepPaths:
    """Run a whole sweep of a configuration in a testbed, into the folder's `lake`: the flow's steps, without Prefect."""
    plan = frozen(config, folder / "plan.json")
    command = in_testbed("work", str(folder / "plan.json"), "--lake", str(folder / "lake"), capture=capture, spec=spec)
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    sweep = Sweep(plan, SweepPaths(folder / "lake", plan.sweep))
    finish(sweep)
    return sweep.paths


def finish(sweep: Sweep) -> None:
    """Verify, seal and enrich a sweep that has visited all: the last steps of `census sweep`."""
    run.require_verified(sweep)
    run.seal(sweep)
    enrichment.enrich(sweep)


def packets(path: Path) -> list[dpkt.ip.IP]:
    """The IPv4 packets of a capture; any other packet fails."""
    return [packet for _, packet in timed(path)]


def timed(path: Path) -> list[tuple[float, dpkt.ip.IP]]:
    """The IPv4 packets of a capture with their times (seconds since 1970)."""
    with path.open("rb") as file:
        frames = [(seen, dpkt.ethernet.Ethernet(data)) for seen, data in dpkt.pcap.Reader(file)]
    assert all(isinstance(frame.data, dpkt.ip.IP) for _, frame in frames)
    return [(seen, frame.data) for seen, frame in frames]


def streams(sent: list[dpkt.ip.IP]) -> dict[tuple[bytes, int, int], bytes]:
    """The bytes that we sent on each connection, in order of sequence number, each byte once."""
    pieces: dict[tuple[bytes, int, int], dict[int, bytes]] = defaultdict(dict)
    for packet in sent:
        if packet.data.data:
            pieces[packet.dst, packet.data.sport, packet.data.dport][packet.data.seq] = packet.data.data
    return {flow: b"".join(data for _, data in sorted(parts.items())) for flow, parts in pieces.items()}
