"""The encrypted connection between machines, with real sockets on loopback."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import zmq

from pipeline.errors import CensusError, InputError
from pipeline.transport import bridge, messages
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import encode_rows
from pipeline.transport.keys import AssociatorKeys, WorkerKeys, create

#: Opens many connections to a port of loopback and says nothing.
STRANGERS_OUTSIDE = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(90)]
print("connected", flush=True)
sys.stdin.read()
"""
HELLO = messages.Hello(shard=0, number=0, plan_digest="d", code_version="c")
SENT = messages.Sent(shard=1, number=2, sender=0)
ROWS = messages.Rows(shard=1, number=2, attempt=1, table="tls")
BATCH = pa.RecordBatch.from_pydict({"ip": pa.array([1, 2], pa.uint32())})
Ends = tuple[Bridge, Bridge]


@pytest.fixture
def url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    with zmq.Context() as context:
        yield context


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create(tmp_path, ["north", "south"])
    return tmp_path


@pytest.fixture
def ends(context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path) -> Iterator[Ends]:
    with (
        bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north") as worker,
        bridge.call(context, url, AssociatorKeys.read(keys, "north")) as associator,
    ):
        yield worker, associator


def receive(end: Bridge, seconds: float = 5.0) -> messages.AnyMessage | None:
    """The next message, if one arrives in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if received := end.receive():
            return received[0]
        time.sleep(0.01)
    return None


def test_both_ways(ends: Ends) -> None:
    """Messages and their rows arrive as they were sent, in both directions."""
    worker, associator = ends
    associator.send_message(HELLO)
    assert receive(worker) == HELLO
    worker.send([msgspec.json.encode(ROWS), encode_rows(BATCH)])
    assert receive(associator) == ROWS
    associator.send([msgspec.json.encode(ROWS), encode_rows(BATCH)])
    until = time.monotonic() + 5
    while (received := worker.receive()) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert received is not None
    assert received[1].equals(BATCH)


def test_no_message_before_hello(ends: Ends) -> None:
    """Before an associator's Hello a worker has no peer to send to, and ignores other messages."""
    worker, associator = ends
    assert not worker.ready
    associator.send_message(SENT)
    assert receive(worker, 0.5) is None
    with pytest.raises(ValueError, match="has not connected"):
        worker.send_message(SENT)


#: A stranger's credentials: (its key pair, the worker's key), each from the real folder or its own; None means no CURVE.
STRANGERS: dict[str, tuple[tuple[str, str], str] | None] = {
    "no key": None,
    "a key of its own": (("own", "north"), "real"),
    "another associator's key": (("real", "south"), "real"),
    "the right key for another worker": (("real", "north"), "own"),
}


@pytest.mark.parametrize("credentials", STRANGERS.values(), ids=STRANGERS)
def test_strangers(
    context: "zmq.Context[zmq.Socket[bytes]]",
    url: str,
    keys: Path,
    tmp_path: Path,
    credentials: tuple[tuple[str, str], str] | None,
) -> None:
    """The worker receives no message of a stranger, and a stranger receives no message."""
    folders = {"real": keys, "own": tmp_path / "own"}
    create(folders["own"], ["north"])
    with bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north") as worker:
        with context.socket(zmq.DEALER) as stranger:
            stranger.linger = 0
            if credentials:
                (folder, name), server = credentials
                pair = AssociatorKeys.read(folders[folder], name).key_pair
                stranger.curve_publickey, stranger.curve_secretkey = pair.public, pair.secret
                stranger.curve_serverkey = AssociatorKeys.read(folders[server], "north").worker
            stranger.connect(url)
            stranger.send(msgspec.json.encode(HELLO))
            assert receive(worker, 1.0) is None
            assert stranger.poll(200) == 0
        assert (worker.peer, worker.last_received_at, worker.malformed) == (None, None, 0)


def test_other_protocols(context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path) -> None:
    """A connection that sends other bytes gets only ZeroMQ's greeting (ZMTP 3.1, RFC 37: 64 bytes), and does no harm."""
    with bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north") as worker:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" + bytes(500))
            assert receive(worker, 0.5) is None
            try:
                assert len(stranger.recv(4096)) <= 64
            except ConnectionResetError:
                pass
        with bridge.call(context, url, AssociatorKeys.read(keys, "north")) as associator:
            associator.send_message(HELLO)
            assert receive(worker) == HELLO


def test_a_second_caller(ends: Ends, context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path) -> None:
    """A second caller with the same key is refused with a message, and its own messages are ignored."""
    worker, associator = ends
    associator.send_message(HELLO)
    assert receive(worker) == HELLO
    with bridge.call(context, url, AssociatorKeys.read(keys, "north")) as second:
        second.send_message(HELLO)
        second.send_message(SENT)
        assert receive(worker, 0.5) is None
        refusal = receive(second)
    assert isinstance(refusal, messages.Failed)
    assert "already connected" in refusal.reason
    associator.send_message(SENT)
    assert receive(worker) == SENT


JUNK: tuple[list[bytes], ...] = (
    [b""],
    [b"{}"],
    [b"\xff\xfe"],
    [b'{"type":"Hello","shard":0,"number":0,"plan_digest":"\xff","code_version":"c"}'],
    [b"[" * 60_000],
    [msgspec.json.encode(SENT)] * 3,
    [msgspec.json.encode(ROWS), b"no Arrow"],
    [msgspec.json.encode(ROWS), encode_rows(BATCH)[:-20]],
    [msgspec.json.encode(ROWS), encode_rows(BATCH)[:60] + bytes(200)],
)


def test_junk_is_counted_and_dropped(ends: Ends) -> None:
    """Malformed messages are counted and dropped, and later messages are received."""
    worker, associator = ends
    associator.send_message(HELLO)
    assert receive(worker) == HELLO
    for frames in JUNK:
        associator.send(frames)
    associator.send_message(SENT)
    assert receive(worker) == SENT
    assert worker.malformed == len(JUNK)


def test_connections_that_say_nothing(
    context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections without a key are closed soon, so that they use up no files and the real associator comes through."""
    monkeypatch.setattr(bridge, "MOST_FILES", 0)
    monkeypatch.setattr(bridge, "HANDSHAKE_MS", 300)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    own = AssociatorKeys.read(keys, "north")
    strangers = [sys.executable, "-c", STRANGERS_OUTSIDE, url.rpartition(":")[2]]
    with bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north") as worker:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 60, before[1]))
            with subprocess.Popen(strangers, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as outside:
                assert outside.stdout and outside.stdout.readline() == b"connected\n"
                time.sleep(2.0)  # until then they hold all files that this process may have
                with bridge.call(context, url, own) as associator:
                    associator.send_message(HELLO)
                    assert receive(worker, 20.0) == HELLO
                outside.kill()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_revoked_key(context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path) -> None:
    """A key whose file was removed, or has another key now, is not admitted, though the worker began with it."""
    admitted = WorkerKeys.read(keys, "north")
    old = AssociatorKeys.read(keys, "north")
    assert admitted.admits(old.key_pair.public)
    (keys / "associators" / "north.key").write_bytes((keys / "associators" / "south.key").read_bytes())
    assert not admitted.admits(old.key_pair.public)
    (keys / "associators" / "north.key").unlink()
    with bridge.listen(context, url, admitted, "north") as worker, bridge.call(context, url, old) as associator:
        associator.send_message(HELLO)
        assert receive(worker, 1.0) is None


def test_silence_is_noticed(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent end is considered lost, and an idle end sends heartbeats."""
    monkeypatch.setattr(bridge, "LOST_SECONDS", 0.6)
    monkeypatch.setattr(bridge, "HEARTBEAT_SECONDS", 0.1)
    worker, associator = ends
    associator.send_message(HELLO)
    assert receive(worker) == HELLO
    until = time.monotonic() + 1.2
    while time.monotonic() < until:
        for end in ends:
            end.heartbeat()
            end.receive()
        time.sleep(0.01)
    with pytest.raises(CensusError, match="associator north is lost"):
        while time.monotonic() < until + 5:
            worker.heartbeat()
            worker.receive()
            time.sleep(0.01)


def test_a_peer_that_left_is_noticed_by_sending(
    context: "zmq.Context[zmq.Socket[bytes]]", url: str, keys: Path
) -> None:
    """Sending to an associator whose connection is gone is an error, not a loss."""
    with bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north") as worker:
        with bridge.call(context, url, AssociatorKeys.read(keys, "north")) as associator:
            associator.send_message(HELLO)
            assert receive(worker) == HELLO
        with pytest.raises(CensusError, match="is lost"):
            for _ in range(500):
                worker.send_message(SENT)
                time.sleep(0.01)


@pytest.mark.parametrize(
    "wrong", ["", "http://a:1", "tcp://a", "tcp://a:b", "ipc:///tmp/x", "tcp://a:1;b", "tcp://:1", "tcp://a:1\n"]
)
def test_urls(wrong: str) -> None:
    """A URL of another form than tcp://HOST:PORT is refused."""
    with pytest.raises(InputError, match="tcp://HOST:PORT"):
        bridge.host_of(wrong)


def test_hosts() -> None:
    """The host is extracted from a URL, an IPv6 address without its brackets."""
    urls = ("tcp://a.example:7100", "tcp://[::1]:1", "tcp://127.0.0.1:2")
    assert [bridge.host_of(url) for url in urls] == ["a.example", "::1", "127.0.0.1"]


def test_an_address_in_use(context: "zmq.Context[zmq.Socket[bytes]]", keys: Path, url: str) -> None:
    """A port in use is one clear error."""
    listening = bridge.listen(context, url, WorkerKeys.read(keys, "north"), "north")
    with (
        socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))),
        pytest.raises(InputError, match="cannot be bound: Address already in use"),
    ):
        listening.__enter__()
