"""A small fleet: a real Prefect server, one work pool, two workers at two closed vantages, one of them killed during the sweep."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest

from pipeline.lake import layout, leases, receipts
from pipeline.plan.plan import Plan
from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.flows.serving import Server, postgresql_programs, until
from tests.testbed.running import CENSUS, ROOT, packets, streams

SPEC = ROOT / "tests" / "data" / "fleet.toml"
SWEEP = ROOT / "tests" / "data" / "fleet-sweep.toml"
RUN = "import sys; from flows.sweep import sweep; sweep(sys.argv[1], sys.argv[2], ['vantage/one', 'vantage/one'])"
#: A busy machine takes its time.
pytestmark = pytest.mark.timeout(900)
SOURCES = {number: IPv4Address(f"198.18.{number}.1").packed for number in (0, 1)}


@dataclass
class Swept:
    """A sweep by two vantages, one of which was killed."""

    lake: Path
    plan: Plan
    server: Server
    killed: int


@pytest.fixture(scope="module")
def swept(server: Server) -> Iterator[Swept]:
    """The sweep, once it is sealed."""
    lake = server.folder / "lake"
    with server.worker("vantage-one", SPEC, 0), server.worker("vantage-one", SPEC, 1):
        server.deployment("vantage/one")
        command = [sys.executable, "-c", RUN, str(SWEEP), str(lake)]
        sweeping = subprocess.Popen(command, cwd=ROOT, env=server.environment)
        try:
            until(lambda: (lake / "plans").is_dir() and layout.sweeps(lake))
            paths = layout.find(lake, None)
            until(lambda: len(_at_work(paths)) == 2 and len({r.vantage for r in receipts.read_receipts(paths)}) == 2)
            killed = sorted(_at_work(paths))[0]
            stages = [pid for child in _children(killed) for pid in (child, *_children(child))]
            os.kill(_parent(killed), signal.SIGKILL)
            os.kill(killed, signal.SIGKILL)
            until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in stages), 5)
            assert sweeping.wait(240) == 0
        finally:
            sweeping.kill()  # nothing, once it has ended
    yield Swept(lake, layout.read_plan(paths.plan), server, killed)


def _at_work(paths: layout.SweepPaths) -> set[int]:
    """The processes that have a lease of a range."""
    observed_leases = leases.observed_leases(paths, receipts.finished(paths))
    return {lease.holder.pid for lease in observed_leases if "-" in lease.key and lease.alive}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_schedules_are_planned(server: Server) -> None:
    """The server schedules runs of the deployments with a schedule in `prefect.yaml`: weekly sweep, nightly report, refresh.

    It looks at new deployments every few seconds, and a busy one that misses them then looks at all of them once a minute.
    """
    scheduled = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    for name in ("sweep/weekly", "report/nightly", "refresh/monthly"):
        wanted = {"flow_runs": scheduled | {"deployment_id": {"any_": [str(server.deployment(name).id)]}}}
        until(lambda: server.client.request("POST", "/flow_runs/filter", json=wanted).json())


def test_its_runs_are_in_postgresql(swept: Swept) -> None:
    """The server keeps its runs in the database of docs/fleet.md: the sweep's, and that of the vantage that was not killed."""
    url = swept.server.environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"].replace("+asyncpg", "")
    query = [postgresql_programs() / "psql", url, "-tA", "-c", "SELECT state_name FROM flow_run"]
    states = subprocess.run(query, check=True, capture_output=True, text=True, timeout=60).stdout
    assert states.split().count("Completed") >= 2


def test_the_other_vantage_finishes_it(swept: Swept) -> None:
    """After one vantage was killed in the middle of a shard, `census verify` passes and each row is true."""
    assert subprocess.run([*CENSUS, "verify", str(swept.lake)], cwd=ROOT, timeout=120).returncode == 0
    with connection.connect(swept.lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    true = truth.truth(spec.load(SPEC), swept.plan.settings.ports)
    inside = swept.plan.walk().space
    expected = {(t.address, t.port): t.outcome for t in true if t.outcome and inside.contains(np.array([t.address]))[0]}
    assert {(ip, port): outcome for ip, port, outcome in rows} == expected
    done = receipts.read_receipts(layout.find(swept.lake, None))
    assert {receipt.vantage for receipt in done} == {"198.18.0.1", "198.18.1.1"}


def test_second_visits_are_admitted(swept: Swept) -> None:
    """On both wires, only targets of ranges whose receipts admit it had two conversations."""
    visits: Counter[tuple[int, int]] = Counter()
    for number, source in SOURCES.items():
        sent = [packet for packet in packets(swept.server.folder / f"{number}.pcap") if packet.src == source]
        visits.update((int.from_bytes(host), port) for host, _, port in streams(sent))
    twice = [target for target, count in visits.items() if count > 1]
    done = receipts.read_receipts(layout.find(swept.lake, None))
    admitted = {(r.shard, r.range) for r in done if r.attempts > 1 and r.revisited != 0}
    walk = swept.plan.walk()
    for ip, port in twice:
        shard, local = (int(index[0]) for index in walk.locate(np.array([ip]), np.array([port])))
        assert any(
            shard == s and r.first_index <= local <= r.last_index
            for s, n in admitted
            for r in walk.ranges(s)
            if r.number == n
        )
    assert len(visits) > 150
