"""Channels over real sockets."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.record.receipt import Counts, Part, VisitCounts
from pipeline.record.rounds import Round
from pipeline.transport import channel, messages
from pipeline.transport.channel import Address, Receiver, Sender, decode, decode_rows, encode_rows, temporary_folder

ROWS = pa.RecordBatch.from_pydict({"ip": pa.array([1, 2**32 - 1], pa.uint32()), "raw": [b"\x00\xff", None]})
MESSAGES = (
    messages.Assign(shard=1, number=2, first_index=0, last_index=2**40, attempt=1),
    messages.Rows(shard=1, number=2, attempt=1, table="responses"),
    messages.Begun(shard=1, number=2),
    messages.Sent(shard=1, number=2, sender=0),
    messages.Cooled(
        shard=1, number=2, attempt=1, complete=True, counts=Counts(probes_sent=1, send_seconds=0.5, vantage="x")
    ),
    messages.Cooled(shard=1, number=2, attempt=1, complete=True, visits=VisitCounts(connects=7)),
    messages.Written(
        shard=1,
        number=2,
        attempt=1,
        complete=False,
        counts=Counts(round=Round.HARM_CHECKS),
        outcomes={"echoed": 2},
        parts=(Part("responses", "000-000001.1.parquet", 2, "ab"),),
    ),
    messages.Progress(shard=0, number=0, stage="probe", counts={"probes": 3}),
    messages.Doubt(shard=0, number=0, since=2**50, reason="nobody answers"),
    messages.Confirm(shard=1, number=2, ip=2**32 - 1, port=104, sender=1),
    messages.Confirmed(shard=1, number=2, ip=7, port=104, answered=None, syns=2),
    messages.Vanished(shard=0, number=0, reason="no frame has left"),
    messages.Shutdown(shard=0, number=0),
    messages.Hello(shard=0, number=0, plan_digest="a", code_version="b"),
    messages.Heartbeat(shard=0, number=0),
    messages.Failed(shard=0, number=0, reason="it broke – „so“", exit_code=3),
)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Sender, Receiver]]:
    context = zmq.Context()
    address = Address(tmp_path, "c")
    receiver = Receiver(context, address)
    sender = Sender(context, address)
    yield sender, receiver
    sender.close()
    receiver.close()
    context.term()


def test_all_messages_are_tried() -> None:
    """The round trips below include every kind of message."""
    assert {type(message) for message in MESSAGES} == set(messages.AnyMessage.__args__)


@pytest.mark.parametrize("rows", [None, ROWS, ROWS.slice(0, 0)], ids=["bare", "rows", "no rows"])
def test_trip(ends: tuple[Sender, Receiver], rows: pa.RecordBatch | None) -> None:
    """Every message arrives as it was sent, in order, with its rows."""
    sender, receiver = ends
    for message in MESSAGES:
        sender.send(message, rows)
    for message in MESSAGES:
        received = receiver.receive(10)
        assert received is not None
        assert received[0] == message
        assert received[1] is None if rows is None else received[1].equals(rows)


def test_nothing_came(ends: tuple[Sender, Receiver]) -> None:
    """Without a message a receiver returns None after its timeout."""
    assert ends[1].receive(0.01) is None


def test_nothing_is_dropped(tmp_path: Path) -> None:
    """Every message that was sent before the sender closed arrives."""
    context = zmq.Context()
    receiver = Receiver(context, Address(tmp_path, "c"))
    sender = Sender(context, Address(tmp_path, "c"))
    for number in range(900):
        sender.send(messages.Sent(shard=0, number=number, sender=0))
    sender.close()
    received = [receiver.receive(10) for _ in range(900)]
    assert [item[0].number for item in received if item] == list(range(900))
    receiver.close()
    context.term()


JUNK = (b"", b"{}", b"[]", b"\xff", b'{"type":"Other"}', b'{"type":"Sent"}', b'{"type":"Sent","shard":"a","number":1}')


@pytest.mark.parametrize("frame", JUNK)
def test_junk(ends: tuple[Sender, Receiver], frame: bytes) -> None:
    """A malformed message raises when it is received."""
    sender, receiver = ends
    sender._socket.send_multipart([frame])
    with pytest.raises(msgspec.DecodeError):
        receiver.receive(10)


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes(frame: bytes) -> None:
    """Bytes that are not a message raise only a decoding error."""
    with pytest.raises(msgspec.DecodeError):
        decode([frame])


def test_junk_rows() -> None:
    """Rows that are not an Arrow stream are refused; other rows are decoded equal."""
    assert decode_rows(encode_rows(ROWS)).equals(ROWS)
    with pytest.raises(pa.ArrowInvalid):
        decode([msgspec.json.encode(MESSAGES[1]), b"junk"])


@pytest.mark.parametrize("size", [10, 75, 79, 150])
def test_a_folder_for_channels(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """However long TMPDIR is, channels work, also one with the longest name of a relay."""
    name = "remote-" + "n" * 40
    with tempfile.TemporaryDirectory() as parent, zmq.Context() as context:
        temporary = Path(parent) / ("t" * max(1, size - len(parent) - 1))
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with temporary_folder(name) as folder:
            receiver, sender = (kind(context, Address(Path(folder), name)) for kind in (Receiver, Sender))
            sender.send(MESSAGES[0])
            assert receiver.receive(10) == (MESSAGES[0], None)
            sender.close()
            receiver.close()


def test_no_short_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder is short enough, the error names TMPDIR and its longest length."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("t" * 80)))
    monkeypatch.setattr(channel, "SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(InputError, match="TMPDIR: .* is longer than 75 bytes, too long for a socket's path"):
        temporary_folder()
