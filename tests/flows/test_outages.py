"""A fleet whose PostgreSQL is restarted, whose server is away for a while, and whose server is lost in the middle of a sweep."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pipeline.lake import layout, receipts, verify
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.status import snapshot
from pipeline.sweep import run as steps
from tests.flows.serving import Server, until
from tests.flows.test_fleet import RUN, SPEC, SWEEP, _at_work, _parent
from tests.testbed.running import ROOT

#: The number of its testbed, unlike those of the other tests.
NUMBER = 3
#: How long the server is away, in seconds.
AWAY_SECONDS = 15.0
#: How long a sweep may take to its first range on a machine whose other tests compute, in seconds; one that ended is told at once.
FIRST_RANGE_SECONDS = 600.0
#: A flow that waits for seconds, in place of ten minutes, until a vantage counts as dead.
IMPATIENT = "import flows.fleet; flows.fleet.IDLE_SECONDS = 40.0; "
pytestmark = pytest.mark.timeout(1800)


@contextmanager
def sweeping(server: Server, lake: Path, before: str = "") -> Iterator[tuple["subprocess.Popen[bytes]", SweepPaths]]:
    """The flow of a sweep, once a range is done."""
    run = before + RUN.replace("['vantage/one', 'vantage/one']", "['vantage/one']")
    server.deployment("vantage/one")
    said = server.folder / f"{lake.name}.log"
    with said.open("wb") as out:
        flow = subprocess.Popen(
            [sys.executable, "-c", run, str(SWEEP), str(lake)], cwd=ROOT, env=server.environment, stdout=out, stderr=out
        )

    def begun() -> bool:
        assert flow.poll() is None, said.read_text()[-3000:]
        return (lake / "plans").is_dir() and any(receipts.finished(paths) for paths in layout.sweeps(lake))

    try:
        until(begun, FIRST_RANGE_SECONDS)
        yield flow, layout.find(lake, None)
    finally:
        flow.kill()  # nothing, once it has ended


def unfinished(server: Server) -> list[str]:
    """The runs that have not ended, by their states; those of tests before this one have."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType

    at_work = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    states = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=at_work)))
    return [f"{run.name}: {run.state_name}" for run in server.client.read_flow_runs(flow_run_filter=states)]


def test_a_server_that_comes_back(server: Server) -> None:
    """A sweep ends as always though its database is restarted and its server killed and away for a while; no run is left over."""
    with server.worker("vantage-one", SPEC, NUMBER):
        with sweeping(server, server.folder / "back") as (flow, paths):
            server.database.stop(signal.SIGINT)
            server.database.start()
            done = len(receipts.finished(paths))
            until(lambda: len(receipts.finished(paths)) > done)
            server.program.stop(signal.SIGKILL)
            time.sleep(AWAY_SECONDS)
            server.start()
            assert flow.wait(600) == 0
        until(lambda: not unfinished(server), 120)
    sweep = Sweep.open(paths)
    steps.require_verified(sweep)
    assert snapshot.status(sweep).state == "sealed"


def test_a_vantage_that_dies(server: Server) -> None:
    """A vantage that is killed with its worker, and that Prefect has as running, is started again; a new worker does the rest."""
    with ExitStack() as first:
        first.enter_context(server.worker("vantage-one", SPEC, NUMBER))
        with sweeping(server, server.folder / "dead", IMPATIENT) as (flow, paths):
            until(lambda: _at_work(paths))
            (killed,) = _at_work(paths)
            os.kill(_parent(killed), signal.SIGKILL)
            os.kill(killed, signal.SIGKILL)
            first.close()
            with server.worker("vantage-one", SPEC, NUMBER):
                assert flow.wait(600) == 0
                until(lambda: not unfinished(server), 120)
    assert snapshot.status(Sweep.open(paths)).state == "sealed"


def test_a_server_that_does_not(server: Server) -> None:
    """Though its server is killed and never comes back, a sweep goes on to its end: swept, verified and sealed."""
    with server.worker("vantage-one", SPEC, NUMBER), sweeping(server, server.folder / "lost") as (flow, paths):
        server.program.stop(signal.SIGKILL)
        try:
            begun, sweep = time.monotonic(), Sweep.open(paths)
            until(lambda: flow.poll() is not None or snapshot.status(sweep).state == "sealed", 600)
            print(f"{snapshot.status(sweep).state} {time.monotonic() - begun:.0f} s after its server")
        finally:
            server.start()  # for the tests after this one
    assert not list(verify.faults(sweep))  # the flow, and what it was deriving, has been cut off by the test
    assert snapshot.status(sweep).state == "sealed"
