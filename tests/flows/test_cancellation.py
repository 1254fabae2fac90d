"""Cancelling, pausing and resuming a sweep in Prefect, with a real server and a real worker."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from pipeline.lake import layout
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.status import snapshot as watched
from pipeline.sweep import run as steps
from tests.flows.serving import Server, until
from tests.flows.test_fleet import SPEC, SWEEP
from tests.testbed.running import timed

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

#: The seconds within which senders stop, and the factor that a busy machine may take longer.
SOON, BUSY = 2.0, 5
SYN = 0x02
#: The number of its testbed, unlike those of the other tests.
NUMBER = 2
#: Probes of a run before it is cancelled or paused, so that it is in the middle of its work.
SENT = 1500
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Ended:
    """A run that was cancelled or paused: its last state, the time of the request, and until when nothing else began."""

    run: UUID
    state: "State"
    requested: float
    until: float


@dataclass(frozen=True)
class Story:
    """A sweep that is cancelled, started again and paused; its worker then serves another run; at last it is resumed."""

    lake: Path
    cancelled: Ended
    state_after_cancel: str
    paused: Ended
    state_after_pause: str


@pytest.fixture(scope="module")
def story(server: Server) -> Iterator[Story]:
    from prefect.states import Cancelling, Suspended

    lake = server.folder / "cancelled"
    with server.worker("server", SPEC, NUMBER):
        cancelled = _ended(server, lake, Cancelling(), "Cancelled")
        state_after_cancel = _state(lake)
        paused = _ended(server, lake, Suspended(), "Suspended")
        state_after_pause = _state(lake)
        between = server.begin("report/nightly", lake=str(lake), output=str(server.folder))
        server.until(between, "Failed")  # no sealed sweep that it could report
        server.client.resume_flow_run(paused.run)
        server.until(paused.run, "Completed")
    yield Story(lake, cancelled, state_after_cancel, paused, state_after_pause)


def _ended(server: Server, lake: Path, wanted: "State", name: str) -> Ended:
    """Start or continue a sweep, and request a state of it once it sends."""
    before = _probed(lake)
    run = server.begin("sweep/weekly", source=str(SWEEP), lake=str(lake), vantages=None, output=None)
    until(lambda: _probed(lake) > before + SENT)
    requested = time.time()
    server.client.set_flow_run_state(run, wanted)
    state = server.until(run, name)
    until(lambda: _state(lake) == "stopped")
    time.sleep(SOON)
    return Ended(run, state, requested, time.time())


def _probed(lake: Path) -> int:
    """The number of probes that the only sweep of a lake has sent so far."""
    paths = _paths(lake)
    return watched.status(Sweep.open(paths)).funnel["probed"] if paths else 0


def _state(lake: Path) -> str:
    paths = _paths(lake)
    return watched.status(Sweep.open(paths)).state if paths else ""


def _paths(lake: Path) -> SweepPaths | None:
    return layout.find(lake, None) if (lake / "plans").is_dir() and layout.sweeps(lake) else None


@pytest.mark.parametrize("request_", ["cancelled", "paused"])
def test_senders_stop_at_once(server: Server, story: Story, request_: str) -> None:
    """Within seconds after a sweep is cancelled or paused, no more SYNs leave."""
    ended: Ended = getattr(story, request_)
    sent = [seen for seen, packet in timed(server.folder / f"{NUMBER}.pcap") if packet.data.flags == SYN]
    assert [seen for seen in sent if ended.requested - 1 < seen < ended.requested]
    took = max(seen for seen in sent if seen < ended.until) - ended.requested
    print(f"{request_}: the last SYN left {took:.2f} s after the request, of {SOON:.0f}")
    assert took < SOON * BUSY


def test_a_cancelled_sweep_can_be_continued(story: Story) -> None:
    """A cancelled sweep is stopped, not dead; the next run of its series finishes that sweep instead of another."""
    assert (story.cancelled.state.name, story.state_after_cancel) == ("Cancelled", "stopped")
    assert len(layout.sweeps(story.lake)) == 1
    assert _state(story.lake) == "sealed"
    paths = layout.find(story.lake, None)
    steps.require_verified(Sweep.open(paths))


def test_a_paused_sweep_frees_its_worker(story: Story) -> None:
    """While a sweep is paused, its worker is free for another run; its lake says that it is stopped."""
    assert (story.paused.state.name, story.state_after_pause) == ("Suspended", "stopped")


def test_its_pages_show_aggregates(server: Server, story: Story) -> None:
    """The server has progress, funnel and countries of the sweep, and no address in any of them."""
    kept = server.client.request("POST", "/artifacts/latest/filter", json={}).json()
    of_key = {artifact["key"]: artifact for artifact in kept}
    assert of_key.keys() >= {"fleet-progress", "fleet-funnel", "fleet-countries", "fleet-result"}
    paths = layout.find(story.lake, None)
    funnel = watched.status(Sweep.open(paths)).funnel
    assert any(f'"Targets": {funnel["echoes"]}' in str(a["data"]) for a in kept if a["key"] == "fleet-funnel")
    assert "11.0." not in str([(artifact["data"], artifact["description"]) for artifact in kept])
