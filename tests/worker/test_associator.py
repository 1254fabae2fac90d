"""The associator's process over real channels, with real servers on loopback."""

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import zmq

from pipeline.config.sections import Profile
from pipeline.guard.link_state import LinkWatch
from pipeline.guard.neighbours import NeighbourWatch
from pipeline.guard.sockets import VANTAGE
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.optout import register
from pipeline.optout.events import AnyEvent, Go, OptOut, Stop
from pipeline.optout.register import RegisterFile
from pipeline.probe.outage import Outage
from pipeline.sweep import freeze
from pipeline.testbed.closed import WORLD_MAC, NamespacePair, configure
from pipeline.transport import messages
from pipeline.transport.channel import Address, Receiver, Sender
from pipeline.wire.outgoing import Outgoing
from pipeline.worker.associator import Associating
from pipeline.worker.context import WorkerContext
from pipeline.worker.egress import ProbeSource
from pipeline.worker.way_watch import WayWatch

DEMO = Path(__file__).parents[2] / "data" / "testbed" / "demo-sweep.toml"
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
STOP, GO = Stop(at=AT, who="a", reason="a call"), Go(at=AT, who="a")
ONE, OTHER = IPv4Address("127.0.0.71"), IPv4Address("127.0.0.72")


@dataclass
class Ends:
    """The neighbours of an associator that runs in this process, and its register."""

    register: RegisterFile
    engine: Sender
    writer: Receiver
    coordinator: Receiver
    associating: Associating
    port: int = 0
    connections: int = 0
    answers: bool = True
    """Its server closes each connection at once; otherwise it says nothing."""

    def add(self, *events: AnyEvent) -> None:
        register.record(self.register, lambda _: events)

    def answered(self, *addresses: IPv4Address) -> None:
        """Report that targets answered, and that their range is over."""
        rows = {
            "ip": pa.array([int(address) for address in addresses], pa.uint32()),
            "port": pa.array([self.port] * len(addresses), pa.uint16()),
            "answered_at": pa.array([0] * len(addresses), pa.int64()),
            "ttl": pa.array([64] * len(addresses), pa.uint8()),
            "window": pa.array([1] * len(addresses), pa.uint16()),
        }
        message = messages.Rows(shard=0, number=0, attempt=1, table="responses")
        self.engine.send(message, pa.RecordBatch.from_pydict(rows))
        self.engine.send(messages.Cooled(shard=0, number=0, attempt=1, complete=True))

    def cooled(self) -> messages.Cooled:
        """The end of the range as the writer receives it."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            match self.writer.receive(0.1):
                case (messages.Cooled() as message, _):
                    return message
        raise AssertionError("the range has no end")

    async def run(self, *steps: object) -> None:
        """Run the associator with a server that closes each connection; take one step a second meanwhile."""
        server = await asyncio.start_server(self._accept, "0.0.0.0", self.port)
        with self.associating.watch:
            running = asyncio.create_task(self.associating.run())
            for step in steps:
                step()  # type: ignore[operator]
                await asyncio.sleep(1)
            self.engine.send(messages.Shutdown(shard=0, number=0))
            await asyncio.wait_for(running, 10)
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.answers:
            writer.close()


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    frozen = freeze.freeze(DEMO, tmp_path)
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    settings = msgspec.structs.replace(frozen.settings, ports=(port,), shards=1, profile=Profile.CAPABILITIES)
    space = {"ranges": ((int(ONE), int(OTHER)),), "addresses": 2, "sampled_addresses": 2}
    plan = freeze.sign_plan(msgspec.structs.replace(frozen, settings=settings, **space))
    context = WorkerContext(tmp_path, Sweep(plan, SweepPaths(tmp_path, plan.sweep)), b"")
    kept = RegisterFile(tmp_path / register.DEFAULT_NAME)
    kept.create()
    zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    inbox, writer, coordinator = (
        Receiver(zmq_context, Address(tmp_path, name)) for name in ("associator", "writer", "coordinator")
    )
    engine, out, progress = (
        Sender(zmq_context, Address(tmp_path, name)) for name in ("associator", "writer", "coordinator")
    )
    outgoing = Outgoing.from_json(plan.requests)
    working = Associating("associator", context, outgoing, context.watch(), inbox, out, progress)
    yield Ends(kept, engine, writer, coordinator, working, port)
    for end in (engine, out, progress, inbox, writer, coordinator):
        end.close()
    zmq_context.term()


def opt_out(address: IPv4Address) -> OptOut:
    return OptOut(at=AT, who="a", block=f"{address}/32")


def test_who_opts_out_after_the_syn_gets_no_connection(ends: Ends) -> None:
    """A target that answered but opted out before its connection gets no connection and no row, and is counted."""
    seen: list[int] = []
    asyncio.run(
        ends.run(
            lambda: ends.add(STOP),
            lambda: ends.answered(ONE, OTHER),
            lambda: (seen.append(ends.connections), ends.add(opt_out(ONE), GO)),
            lambda: None,
        )
    )
    cooled = ends.cooled()
    assert seen == [0]  # nothing began while stopped
    assert ends.connections == 1
    assert cooled.complete
    assert (cooled.visits.connects, cooled.visits.suppressed_visits) == (1, 1)


def test_who_waits_when_the_worker_ends_is_not_lost(ends: Ends) -> None:
    """A worker that ends while it is stopped visits no target, and reports that the range is not complete."""
    asyncio.run(ends.run(lambda: ends.add(STOP), lambda: ends.answered(ONE)))
    cooled = ends.cooled()
    assert ends.connections == 0
    assert not cooled.complete


def test_who_is_not_heard_while_our_link_is_down_is_no_row(
    ends: Ends, vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that says nothing while our own link is down has no row, nobody else is visited then, and the range runs again."""
    outage = Outage(LinkWatch("vantage0"), ends.associating.watch.permit)
    monkeypatch.delenv(VANTAGE)  # the server is here
    ends.associating.outages, ends.answers = [outage], False
    steps = (
        lambda: ends.answered(ONE),
        lambda: configure(vantage.vantage, "link set vantage0 down\n"),
        lambda: None,
        lambda: None,
        lambda: configure(vantage.vantage, "link set vantage0 up\n"),
    )
    asyncio.run(ends.run(*steps, *[lambda: None] * 4))
    cooled = ends.cooled()
    assert ends.connections == 1
    assert (cooled.complete, cooled.visits.connects) == (False, 0)


def test_who_is_not_heard_while_the_next_hop_fails_is_no_row(
    ends: Ends, vantage: NamespacePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A next hop that does not answer is an outage of our own, like a link that is down."""
    at = ProbeSource("vantage0", "vantage0", "198.18.0.1", "198.18.0.2", "", "198.18.0.1")
    with NeighbourWatch("vantage0", at.gateway, WORLD_MAC) as hop:
        way = WayWatch(ends.associating.context.plan, at, hop, ends.associating.watch.permit)
        outage = Outage(LinkWatch("vantage0"), way.permit)
        monkeypatch.delenv(VANTAGE)  # the server is here
        ends.associating.outages, ends.answers = [outage], False
        configure(vantage.world, "link set world0 arp off\n")
        steps = (
            lambda: ends.answered(ONE),
            lambda: configure(vantage.vantage, "neigh del 198.18.0.2 dev vantage0\n"),
            lambda: None,
            lambda: None,
            lambda: configure(vantage.world, "link set world0 arp on\n"),
        )
        asyncio.run(ends.run(*steps, *[lambda: None] * 4))
        assert hop.mac == WORLD_MAC and hop.fault == ""
        way.close()
    cooled = ends.cooled()
    assert (cooled.complete, cooled.visits.connects) == (False, 0)


def test_the_reason_is_told(ends: Ends) -> None:
    """An associator that is stopped reports the reason to the coordinator."""
    asyncio.run(ends.run(lambda: ends.add(STOP), lambda: None))
    told = set()
    while received := ends.coordinator.receive(0.0):
        told.add(received[0].pause_reason)
    assert "a call (a)" in told


def test_who_was_not_served_in_time_is_counted(ends: Ends) -> None:
    """A conversation that our deadline ended after the process had stood still for more than a second is counted as late."""
    ends.answers = False
    steps = (lambda: ends.answered(ONE), lambda: time.sleep(1.3))
    asyncio.run(ends.run(*steps, *[lambda: None] * 4))
    cooled = ends.cooled()
    assert (cooled.visits.connects, cooled.visits.late_deadlines) == (1, 1)
