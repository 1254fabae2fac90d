"""The automations of `flows/automations.yaml`, with a real server: runs whose process is gone are marked as crashed, others not."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.flows.serving import BEGIN_SECONDS, PREFECT, Server
from tests.testbed.running import ROOT

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FILE = ROOT / "flows" / "automations.yaml"
#: The seconds within which a run must be heard of here, in place of ten minutes, and how often one is that lives.
WITHIN, BEAT_SECONDS = 10, 2.0


@pytest.fixture(scope="module")
def automated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the automations of the file, which wait for seconds only."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    text = FILE.read_text("utf-8")
    assert text.count("within: 600") == 1
    quick = tmp_path_factory.mktemp("automations") / FILE.name
    quick.write_text(text.replace("within: 600", f"within: {WITHIN}"), "utf-8")
    create(server, quick)
    yield server
    with temporary_settings({PREFECT_API_URL: server.url}):
        for automation in server.client.request("POST", "/automations/filter", json={}).json():
            server.client.request("DELETE", "/automations/{id}", path_params={"id": automation["id"]})


def create(server: Server, file: Path) -> None:
    command = [*PREFECT, "automation", "create", "--from-file", str(file)]
    done = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=BEGIN_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Created 2 automation(s)" in done.stdout


def in_state(server: Server, state: "State") -> UUID:
    """A run whose worker or process reports a state, and then no more."""
    run = server.begin("vantage/one", lake="nowhere", sweep="none")
    server.client.set_flow_run_state(run, state, force=True)
    return run


def beat(server: Server, run: UUID) -> None:
    """Report that a run's process lives, as Prefect does."""
    from prefect.events import Event, Resource

    resource = Resource({"prefect.resource.id": f"prefect.flow-run.{run}"})
    event = Event(occurred=datetime.now(UTC), event="prefect.flow-run.heartbeat", resource=resource)
    server.client._client.post("/events", json=[event.model_dump(mode="json")]).raise_for_status()


def test_runs_whose_process_is_gone(automated: Server) -> None:
    """A run without heartbeats, and one that its worker never started, are marked as crashed; one with heartbeats is not."""
    from prefect.states import Running, Submitting

    gone, living, submitted = (in_state(automated, state) for state in (Running(), Running(), Submitting()))
    beat(automated, gone)
    until, begun = time.monotonic() + BEGIN_SECONDS, time.monotonic()
    while not (automated.state(gone).is_crashed() and automated.state(submitted).is_crashed()):
        assert time.monotonic() < until
        beat(automated, living)
        time.sleep(BEAT_SECONDS)
    print(f"marked as crashed after {time.monotonic() - begun:.0f} s, of {WITHIN}")
    assert automated.state(living).is_running()
    assert "its process is gone" in (automated.state(gone).message or "")
    automated.client.delete_flow_run(living)
