"""What the processes of a worker share, and how they get it."""

import gc
import os
import pickle
import tempfile
import threading
from dataclasses import replace
from ipaddress import IPv4Address
from multiprocessing import active_children
from pathlib import Path

import pytest
import zmq

from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.sweep import freeze, run
from pipeline.worker.context import RemoteAssociator, WorkerContext
from pipeline.worker.coordinator import Worker
from pipeline.worker.processes import WorkerProcesses

CONFIG = """
[sweep]
name = "many-ranges"
ports = [104]
seed = 7
rate = 1000
[targets]
include_files = ["list"]
"""
#: Bytes that a pipe holds (pipe(7)).
PIPE_BYTES = 65536


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with more ranges than a pipe holds."""
    folder = tmp_path_factory.mktemp("plan")
    addresses = (IPv4Address("20.0.0.0") + number for number in range(0, 60_000, 2))
    (folder / "list").write_text("".join(f"{address}\n" for address in addresses))
    (folder / "sweep.toml").write_text(CONFIG)
    return freeze.freeze(folder / "sweep.toml")


@pytest.fixture
def context(plan: Plan, tmp_path: Path) -> WorkerContext:
    paths = SweepPaths(tmp_path / "lake", plan.sweep)
    remotes = (RemoteAssociator("north", "tcp://127.0.0.1:7100", tmp_path),)
    return WorkerContext(tmp_path, Sweep(plan, paths), b"secret", tmp_path / "pcap", remotes)


def test_a_process_gets_the_context(context: WorkerContext) -> None:
    """A process gets every value, its plan from the folder; less than a pipe holds travels, however often the walk was used."""
    assert context.sweep.walk.shards
    pickled = pickle.dumps(context)
    assert len(planning.encode(context.plan)) > 4 * PIPE_BYTES and len(pickled) < PIPE_BYTES / 16
    assert pickle.loads(pickled) == context


def test_the_plan_is_written_once(context: WorkerContext) -> None:
    """A process may read the plan while another one is started: its file is never written again."""
    pickle.dumps(context)
    written = (context.folder / "plan").stat()
    pickle.dumps(context)
    assert (context.folder / "plan").stat() == written


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,)


@pytest.mark.timeout(60)
def test_processes_that_die_at_birth(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that end before they have read their arguments are reported as ended, and nothing waits for them."""
    monkeypatch.setattr("pipeline.worker.processes.names", lambda _: [Deadly(), Deadly()])
    with zmq.Context() as zmq_context, WorkerProcesses(replace(context, remotes=()), zmq_context) as processes:
        for process in processes._processes:
            process.join(10)
        assert processes.ended() is not None and not processes.any_alive
        for engine in processes._engines:
            engine.close(linger=0)
        processes._engines.clear()


@pytest.mark.timeout(120)
def test_what_could_not_begin_leaves_nothing(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of which a process cannot be started leaves no process, folder or channel, for which a later one would wait."""
    unfit = threading.Lock()  # cannot be sent to a process
    monkeypatch.setattr("pipeline.worker.processes.names", lambda _: ["writer", unfit])
    monkeypatch.setattr(tempfile, "tempdir", str(context.folder))
    before = active_children()
    with pytest.raises(TypeError, match="cannot pickle"):
        Worker(run.begin(context.plan, context.sweep.paths.lake)).__enter__()
    assert active_children() == before and not list(context.folder.glob("census-*"))
    collecting = threading.Thread(target=gc.collect, daemon=True)
    collecting.start()
    collecting.join(30)
    assert not collecting.is_alive()
