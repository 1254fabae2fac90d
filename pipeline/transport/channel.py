"""Channels: a PUSH and a PULL end over `ipc://`, with a high-water mark that slows the sender; nothing is dropped."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import zmq

from pipeline.transport import messages

#: Messages that may wait on each side before the sender blocks.
HIGH_WATER_MARK = 1000

#: A message as it travels: what it says, as JSON, and its rows if it announces any.
Frames = list[bytes]

_decoder = msgspec.json.Decoder(messages.Any)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel meets: a socket file in a private folder."""

    folder: Path
    name: str

    @property
    def url(self) -> str:
        """The ZeroMQ endpoint."""
        return f"ipc://{self.folder / self.name}"


class Sender:
    """The writing end."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: Address) -> None:
        self._socket = context.socket(zmq.PUSH)
        self._socket.set_hwm(HIGH_WATER_MARK)
        self._socket.connect(address.url)

    def send(self, message: messages.Any, rows: pa.RecordBatch | None = None) -> None:
        """Send a message, with rows where it announces them; blocks while the other side is behind."""
        frames = [msgspec.json.encode(message)]
        if rows is not None:
            frames.append(encode_rows(rows))
        self.forward(frames)

    @property
    def ready(self) -> bool:
        """Whether a message could be sent without waiting."""
        return bool(self._socket.poll(0, zmq.POLLOUT))

    def forward(self, frames: Frames) -> None:
        """Send a message as it came."""
        self._socket.send_multipart(frames)

    def close(self, *, linger: int = 5000) -> None:
        """Close once everything is delivered, or after `linger` milliseconds."""
        self._socket.close(linger=linger)


class Receiver:
    """The reading end; it binds."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: Address) -> None:
        self.socket = context.socket(zmq.PULL)
        self.socket.set_hwm(HIGH_WATER_MARK)
        self.socket.bind(address.url)

    def receive(self, timeout: float) -> tuple[messages.Any, pa.RecordBatch | None] | None:
        """The next message and its rows; None if none came within `timeout` seconds."""
        frames = self.frames(timeout)
        return decode(frames) if frames else None

    def frames(self, timeout: float) -> Frames | None:
        """The next message as it came; None if none came within `timeout` seconds."""
        return self.socket.recv_multipart() if self.socket.poll(int(timeout * 1000)) else None

    def close(self) -> None:
        """Close at once."""
        self.socket.close(linger=0)


def wait(sockets: "list[zmq.Socket[bytes]]", seconds: float) -> None:
    """Wait until one of these has a message, or the time is over."""
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    poller.poll(int(seconds * 1000))


def decode(frames: Frames) -> tuple[messages.Any, pa.RecordBatch | None]:
    """Read the frames of a message. Raises msgspec.DecodeError or pyarrow.ArrowInvalid if they are none."""
    if len(frames) not in (1, 2):
        raise msgspec.DecodeError(f"a message of {len(frames)} frames")
    return _decoder.decode(frames[0]), decode_rows(frames[1]) if len(frames) > 1 else None


def is_stop(frames: Frames) -> bool:
    """Whether a message of our own, as it came, is a Stop."""
    return isinstance(_decoder.decode(frames[0]), messages.Stop)


def encode_rows(rows: pa.RecordBatch) -> bytes:
    """A record batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_batch(rows)
    return bytes(sink.getvalue())


def decode_rows(data: bytes) -> pa.RecordBatch:
    """The record batch of an Arrow IPC stream. Raises pyarrow.ArrowInvalid if it is none."""
    try:
        with pa.ipc.open_stream(data) as stream:
            return stream.read_next_batch()
    except (pa.ArrowException, OSError, StopIteration) as error:
        raise pa.ArrowInvalid(f"no rows: {error}") from None
