"""What people ask of a sweep by way of Prefect, of a real server and a real worker: to stop, to pause, to go on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Cancelling, Suspended

from pipeline.lake import layout
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.status import snapshot as watched
from pipeline.sweep import run as steps
from tests.flows.serving import Server, until
from tests.flows.test_fleet import SPEC, SWEEP
from tests.testbed.running import timed

#: Within so many seconds senders stop; a machine that does much else may take so many times longer.
SOON, BUSY = 2.0, 5
SYN = 0x02
#: Tells its testbed from those of the other tests.
NUMBER = 2
#: Probes of a run before it is asked to end, so that it is in the middle of its work.
SENT = 1500
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Ended:
    """A run that was asked to end: in which state, when that was asked, and until when nothing else was begun."""

    run: UUID
    state: State
    asked: float
    until: float


@dataclass(frozen=True)
class Story:
    """A sweep that is cancelled, begun again and paused; meanwhile its worker is another run's; then it is resumed."""

    lake: Path
    cancelled: Ended
    left_by_it: str
    paused: Ended
    left_by_pause: str


@pytest.fixture(scope="module")
def story(server: Server) -> Iterator[Story]:
    lake = server.folder / "asked"
    with server.worker("server", SPEC, NUMBER):
        cancelled = _ended(server, lake, Cancelling(), "Cancelled")
        left_by_it = _state(lake)
        paused = _ended(server, lake, Suspended(), "Suspended")
        left_by_pause = _state(lake)
        between = server.begin("report/nightly", lake=str(lake), output=str(server.folder))
        server.until(between, "Failed")  # nothing is sealed that it could report
        server.client.resume_flow_run(paused.run)
        server.until(paused.run, "Completed")
    yield Story(lake, cancelled, left_by_it, paused, left_by_pause)


def _ended(server: Server, lake: Path, ask: State, name: str) -> Ended:
    """Begin a sweep (or go on with it), and ask something of it once it sends."""
    before = _probed(lake)
    run = server.begin("sweep/weekly", source=str(SWEEP), lake=str(lake), vantages=None, output=None)
    until(lambda: _probed(lake) > before + SENT)
    asked = time.time()
    server.client.set_flow_run_state(run, ask)
    state = server.until(run, name)
    until(lambda: _state(lake) == "stopped")
    time.sleep(SOON)
    return Ended(run, state, asked, time.time())


def _probed(lake: Path) -> int:
    """What the workers of the only sweep of a lake have sent so far."""
    place = _place(lake)
    return watched.counts(watched.workers(place))["probed"] if place else 0


def _state(lake: Path) -> str:
    place = _place(lake)
    return watched.status(Sweep.open(place)).state if place else ""


def _place(lake: Path) -> SweepPaths | None:
    return layout.find(lake, None) if (lake / "plans").is_dir() and layout.sweeps(lake) else None


@pytest.mark.parametrize("asked", ["cancelled", "paused"])
def test_senders_stop_at_once(server: Server, story: Story, asked: str) -> None:
    """Within seconds after a sweep was cancelled or paused no SYN leaves any more."""
    ended: Ended = getattr(story, asked)
    sent = [seen for seen, packet in timed(server.folder / f"{NUMBER}.pcap") if packet.data.flags == SYN]
    assert [seen for seen in sent if ended.asked - 1 < seen < ended.asked]
    took = max(seen for seen in sent if seen < ended.until) - ended.asked
    print(f"{asked}: the last SYN left {took:.2f} s after it was asked for, of {SOON:.0f}")
    assert took < SOON * BUSY


def test_what_is_left_can_be_gone_on_with(story: Story) -> None:
    """A cancelled sweep is stopped, not dead; the next run of its series finishes that sweep instead of another."""
    assert (story.cancelled.state.name, story.left_by_it) == ("Cancelled", "stopped")
    assert len(layout.sweeps(story.lake)) == 1
    assert _state(story.lake) == "sealed"
    place = layout.find(story.lake, None)
    steps.require_verified(Sweep.open(place))


def test_a_paused_sweep_frees_its_worker(story: Story) -> None:
    """While a sweep is paused, the only place of its worker is another run's; its lake tells that it is stopped."""
    assert (story.paused.state.name, story.left_by_pause) == ("Suspended", "stopped")


def test_its_pages_show_aggregates(server: Server, story: Story) -> None:
    """The server holds progress, funnel and countries of the sweep, and no address in any of them."""
    kept = server.client.request("POST", "/artifacts/filter", json={}).json()
    of_key = {artifact["key"]: artifact for artifact in kept}
    assert of_key.keys() >= {"fleet-progress", "fleet-funnel", "fleet-countries", "fleet-result"}
    place = layout.find(story.lake, None)
    funnel = watched.status(Sweep.open(place)).funnel
    assert any(f'"targets": {funnel["echoed"]}' in str(a["data"]) for a in kept if a["key"] == "fleet-funnel")
    assert "11.0." not in str([(artifact["data"], artifact["description"]) for artifact in kept])
