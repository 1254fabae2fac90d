"""Channels: a PUSH and a PULL socket over `ipc://`. A high-water mark blocks the sender; no message is dropped."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import zmq

from pipeline.errors import InputError
from pipeline.transport import messages

#: Messages queued on each side before the sender blocks.
HIGH_WATER_MARK = 1000

#: The longest path of a Unix socket, in bytes: `sun_path` less its final zero (unix(7)).
LONGEST_PATH = 107
#: What a folder of `tempfile` with our prefix adds to TMPDIR, and the longest name of a channel between our own processes.
ADDED, LONGEST_NAME = "/census-12345678/", "associator-1000"
#: Where the folder is if TMPDIR is too long.
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the folder within is private

#: An encoded message: JSON, and a second frame with its rows if it has any.
Frames = list[bytes]

_decoder = msgspec.json.Decoder(messages.AnyMessage)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a channel: a socket file in a private folder."""

    folder: Path
    name: str

    @property
    def url(self) -> str:
        """The ZeroMQ endpoint."""
        return f"ipc://{self.folder / self.name}"


def temporary_folder(*names: str) -> tempfile.TemporaryDirectory[str]:
    """A new private folder, short enough for channels of these names and of our processes. Raises InputError if there is none."""
    limit = LONGEST_PATH - len(ADDED) - max(map(len, (LONGEST_NAME, *names)))
    default = tempfile.gettempdir()
    for parent in (default, *SHORT_FOLDERS):
        if len(os.fsencode(parent)) <= limit and os.access(parent, os.W_OK | os.X_OK):
            return tempfile.TemporaryDirectory(prefix="census-", dir=parent)
    raise InputError(
        "TMPDIR",
        f"{default} is longer than {limit} bytes, too long for a socket's path (unix(7)); name a shorter folder",
    )


class Sender:
    """The writing end."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: Address) -> None:
        self._socket = context.socket(zmq.PUSH)
        self._socket.set_hwm(HIGH_WATER_MARK)
        self._socket.connect(address.url)

    def send(self, message: messages.AnyMessage, rows: pa.RecordBatch | None = None) -> None:
        """Send a message, with its rows if it has any; blocks while the receiver is behind."""
        frames = [msgspec.json.encode(message)]
        if rows is not None:
            frames.append(encode_rows(rows))
        self.forward(frames)

    @property
    def ready(self) -> bool:
        """Whether a message can be sent without waiting."""
        return bool(self._socket.poll(0, zmq.POLLOUT))

    def forward(self, frames: Frames) -> None:
        """Send an encoded message."""
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

    def receive(self, timeout: float) -> tuple[messages.AnyMessage, pa.RecordBatch | None] | None:
        """The next message and its rows; None if none came within `timeout` seconds."""
        frames = self.frames(timeout)
        return decode(frames) if frames else None

    def frames(self, timeout: float) -> Frames | None:
        """The next message, encoded; None if none came within `timeout` seconds."""
        return self.socket.recv_multipart() if self.socket.poll(int(timeout * 1000)) else None

    def close(self) -> None:
        """Close at once."""
        self.socket.close(linger=0)


def wait(sockets: "list[zmq.Socket[bytes]]", seconds: float) -> None:
    """Wait until one of these sockets has a message, at most `seconds`."""
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    poller.poll(int(seconds * 1000))


def decode(frames: Frames) -> tuple[messages.AnyMessage, pa.RecordBatch | None]:
    """Decode the frames of a message. Raises msgspec.DecodeError or pyarrow.ArrowInvalid if they are malformed."""
    if len(frames) not in (1, 2):
        raise msgspec.DecodeError(f"a message of {len(frames)} frames")
    return _decoder.decode(frames[0]), decode_rows(frames[1]) if len(frames) > 1 else None


def is_shutdown(frames: Frames) -> bool:
    """Whether an encoded message of our own is a Shutdown."""
    return isinstance(_decoder.decode(frames[0]), messages.Shutdown)


def encode_rows(rows: pa.RecordBatch) -> bytes:
    """A record batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_batch(rows)
    return bytes(sink.getvalue())


def decode_rows(data: bytes) -> pa.RecordBatch:
    """The record batch of an Arrow IPC stream. Raises pyarrow.ArrowInvalid if it is malformed."""
    try:
        with pa.ipc.open_stream(data) as stream:
            return stream.read_next_batch()
    except (pa.ArrowException, OSError, StopIteration) as error:
        raise pa.ArrowInvalid(f"no rows: {error}") from None
