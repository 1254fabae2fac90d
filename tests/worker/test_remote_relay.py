"""The process that stands in for an associator on another machine, over real sockets."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import zmq

from pipeline import checkout
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.record.receipt import Counts
from pipeline.sweep import freeze
from pipeline.transport import bridge, messages
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import Address, Receiver, Sender, encode_rows
from pipeline.transport.keys import AssociatorKeys, create
from pipeline.worker import processes
from pipeline.worker.context import RemoteAssociator, WorkerContext
from tests.testbed.running import ROOT

CONFIG = ROOT / "tests" / "data" / "tls-sweep.toml"
ROWS = messages.Rows(shard=1, number=2, attempt=1, table="tls")
STOP = messages.Shutdown(shard=0, number=0)


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of the process: the engine's channel to it, its channels to writer and coordinator, and the associator."""

    engine: Sender
    writer: Receiver
    coordinator: Receiver
    associator: Bridge
    context: WorkerContext


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Around]:
    """The running process, with real sockets in the places of its neighbours."""
    create(tmp_path / "keys", ["north"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    plan = freeze.freeze(CONFIG)
    remote = RemoteAssociator("north", url, tmp_path / "keys")
    context = WorkerContext(tmp_path, Sweep(plan, SweepPaths(tmp_path / "lake", plan.sweep)), b"", remotes=(remote,))
    with zmq.Context() as zmq_context:
        writer, coordinator = (Receiver(zmq_context, Address(tmp_path, name)) for name in ("writer", "coordinator"))
        engine = Sender(zmq_context, Address(tmp_path, remote.stage))
        process = processes.start(remote.stage, context)
        try:
            with bridge.call(zmq_context, url, AssociatorKeys.read(tmp_path / "keys", "north")) as associator:
                yield Around(engine, writer, coordinator, associator, context)
        finally:
            process.kill()
            process.join()
            engine.close(linger=0)
            writer.close()
            coordinator.close()


def hello(context: WorkerContext) -> messages.Hello:
    return messages.Hello(shard=0, number=0, plan_digest=context.plan.digest, code_version=checkout.code())


def stop(around: Around) -> None:
    """Say that no more will come: the engines first, then the associator."""
    for _ in around.context.engines:
        around.engine.send(STOP)
    for _ in around.context.engines:
        heard(around.associator, messages.Shutdown)
    around.associator.send_message(STOP)
    assert around.writer.receive(10) == (STOP, None)


def heard(end: Bridge, kind: type, seconds: float = 30.0) -> messages.AnyMessage:
    """The next message of a kind."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (received := end.receive()) and isinstance(received[0], kind):
            return received[0]
        time.sleep(0.005)
    raise AssertionError(f"no {kind.__name__} came")


@pytest.mark.parametrize("field", ["plan_digest", "code_version"])
def test_another_plan_or_code_is_refused(around: Around, field: str) -> None:
    """An associator with another plan or version is refused, and its later messages are dropped; the right one is accepted."""
    around.associator.send_message(msgspec.structs.replace(hello(around.context), **{field: "other"}))
    refused = heard(around.associator, messages.Failed)
    assert refused.exit_code == 3
    assert "other" in refused.reason
    around.associator.send_message(messages.Cooled(shard=0, number=0, attempt=1, complete=True))
    assert around.writer.receive(0.3) is None
    around.associator.send_message(hello(around.context))
    around.associator.send_message(STOP)  # before the engines have stopped it means nothing
    assert around.writer.receive(0.3) is None
    stop(around)


def test_nothing_is_lost_while_one_end_is_slow(around: Around) -> None:
    """Thousands of messages to an associator that reads slowly all arrive in order; the associator's own message arrives too."""
    count = 3000
    around.associator.send_message(hello(around.context))
    for number in range(count):
        around.engine.send(messages.Cooled(shard=1, number=number, attempt=1, complete=True))
        if number == count // 2:
            time.sleep(0.5)
        if number % 2:  # half are read while the rest is sent, half are queued
            assert heard(around.associator, messages.Cooled).number == number // 2
    for number in range(count // 2, count):
        assert heard(around.associator, messages.Cooled).number == number
    stop(around)


def test_rows_that_are_none_are_dropped_and_counted(around: Around) -> None:
    """Rows of an unknown table or another shape, messages without rows, and messages of no associator are dropped and counted."""
    odd = encode_rows(pa.RecordBatch.from_pydict({"ip": pa.array([1], pa.uint32())}))
    around.associator.send_message(hello(around.context))
    receipts = msgspec.structs.replace(ROWS, table="../receipts")
    assign = messages.Assign(shard=0, number=0, first_index=0, last_index=9, attempt=1)
    for frames in ([msgspec.json.encode(ROWS), odd], [msgspec.json.encode(receipts), odd], [msgspec.json.encode(ROWS)]):
        around.associator.send(frames)
    around.associator.send_message(assign)
    around.associator.send([b"junk"])
    until = time.monotonic() + 20
    counts: dict[str, int] = {}
    while counts.get("malformed_messages") != 5 and time.monotonic() < until:
        received = around.coordinator.receive(1.0)
        if received and isinstance(received[0], messages.Progress):
            counts = received[0].counts
    assert counts == {"malformed_messages": 5}
    assert around.writer.receive(0.0) is None


def test_only_what_was_handed_out_reaches_the_writer(around: Around) -> None:
    """A range that was handed out may be ended once, by its attempt; invented ranges and sender's counts are dropped and counted."""
    ended = messages.Cooled(shard=1, number=2, attempt=1, complete=True)
    around.associator.send_message(hello(around.context))
    around.engine.send(ended)
    heard(around.associator, messages.Cooled)
    for change in ({"number": 3}, {"attempt": 2}, {"counts": Counts()}):
        around.associator.send_message(msgspec.structs.replace(ended, **change))
    around.associator.send([msgspec.json.encode(ended).replace(b'"counts":null', b'"counts":{"parts":5}')])
    for number in range(3000):
        around.associator.send_message(messages.Cooled(shard=1, number=number + 10, attempt=1, complete=True))
    around.associator.send_message(ended)
    received = around.writer.receive(20)
    assert received is not None and received[0] == ended
    stop(around)


def test_a_key_is_revoked(around: Around, tmp_path: Path) -> None:
    """When the file of its key is removed, the associator loses its connection, and the worker ends with exit code 3."""
    around.associator.send_message(hello(around.context))
    around.engine.send(messages.Cooled(shard=1, number=2, attempt=1, complete=True))
    heard(around.associator, messages.Cooled)
    (tmp_path / "keys" / "associators" / "north.key").unlink()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        received = around.coordinator.receive(1.0)
        if received and isinstance(received[0], messages.Failed):
            break
    assert received and isinstance(received[0], messages.Failed)
    assert received[0].exit_code == 3 and "the key of associator north was revoked" in received[0].reason


def test_stop_before_anybody_called(around: Around) -> None:
    """A stopped worker does not wait for an associator that has not called; until then the worker names that associator."""
    around.engine.send(messages.Cooled(shard=1, number=1, attempt=1, complete=True))
    received = around.coordinator.receive(30)
    assert received is not None
    assert isinstance(received[0], messages.Progress)
    assert received[0].pause_reason == "associator north has not called yet"
    around.engine.send(STOP)
    assert around.writer.receive(10) == (STOP, None)
