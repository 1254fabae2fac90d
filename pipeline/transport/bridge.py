"""The way to an associator on another machine: one encrypted connection over TCP, for messages in both directions.

The worker listens, the associator calls. Both ends prove their CURVE keys (RFC 26 of ZeroMQ), or nothing is heard of them: a
stranger gets no byte of ours, and none of his gets in. The worker talks with the first associator that presents itself; who comes
later with the same key is told that the place is taken. Each end speaks at least once a second, so that silence means the end.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import zmq
from zmq.auth.thread import ThreadAuthenticator

from pipeline.errors import CensusError, InputError
from pipeline.transport import messages
from pipeline.transport.channel import HIGH_WATER_MARK, Frames, decode
from pipeline.transport.keys import AssociatorKeys, WorkerKeys

#: Each end says something at least this often, in seconds, ...
HEARTBEAT_SECONDS = 1.0
#: ... and takes the other for lost after this long without a word.
LOST_SECONDS = 10.0
URL = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.*-]+):\d{1,5}")
#: Bytes of a frame: a batch of rows has some hundred kilobytes; ZeroMQ drops whoever sends more.
FRAME_LIMIT = 64 << 20

Context = zmq.Context["zmq.Socket[bytes]"]


class Admission:
    """ZeroMQ's question who may come in (ZAP, its RFC 27), answered from the worker's keys."""

    def __init__(self, keys: WorkerKeys) -> None:
        self._keys = keys

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether who proved to own this key may."""
        return self._keys.admits(key)


@dataclass(slots=True)
class Bridge:
    """One end of the connection. `other` names the other end, for people."""

    socket: "zmq.Socket[bytes]"
    other: str
    peer: bytes | None
    """Whom of its callers a worker talks with, once there is one; an associator's only peer is b""."""
    malformed: int = 0
    """Messages that were none, and dropped."""
    heard_at: float | None = None
    spoken_at: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether a message could be sent without waiting."""
        return self.peer is not None and bool(self.socket.poll(0, zmq.POLLOUT))

    def send(self, frames: Frames) -> None:
        """Send a message. Raises CensusError if the other end is gone."""
        if self.peer is None:
            raise ValueError(f"nobody to send to: {self.other} has not presented itself")
        try:
            self.socket.send_multipart([self.peer, *frames] if self.peer else frames)
        except zmq.ZMQError:
            raise self.lost() from None
        self.spoken_at = time.monotonic()

    def say(self, message: messages.Any) -> None:
        """Send a message without rows. Raises CensusError if the other end is gone."""
        self.send([msgspec.json.encode(message)])

    def receive(self) -> tuple[messages.Any, pa.RecordBatch | None, Frames] | None:
        """The other end's next message, its rows, and both as they came; None if nothing came.

        What is no message is counted and dropped.
        """
        while self.socket.poll(0):
            frames = self.socket.recv_multipart()
            sender = b"" if self.peer == b"" else frames.pop(0)
            try:
                message, rows = _read(frames)
            except (msgspec.DecodeError, pa.ArrowInvalid):
                self.malformed += 1
                continue
            if self._is_peer(sender, message):
                self.heard_at = time.monotonic()
                return message, rows, frames
        return None

    def _is_peer(self, sender: bytes, message: messages.Any) -> bool:
        """Whether a message comes from whom we talk with: the first caller that presents itself."""
        if self.peer is None and isinstance(message, messages.Hello):
            self.peer = sender
        if sender != self.peer and isinstance(message, messages.Hello):
            self._turn_away(sender)
        return sender == self.peer

    def _turn_away(self, sender: bytes) -> None:
        reason = f"the place of {self.other} is taken by another that has its key"
        taken = messages.Failed(shard=0, number=0, reason=reason, exit_code=CensusError.exit_code)
        try:
            self.socket.send_multipart([sender, msgspec.json.encode(taken)], zmq.DONTWAIT)
        except zmq.ZMQError:
            return  # it is gone already

    def part(self) -> None:
        """Talk no more with whom we talked: the next caller that presents itself takes the place."""
        self.peer = self.heard_at = None

    def beat(self) -> None:
        """Say that we are here, and see whether the other end still is. Raises CensusError if it is not."""
        now = time.monotonic()
        if self.heard_at is not None and now - self.heard_at > LOST_SECONDS:
            if not self.socket.poll(0):
                raise self.lost()
            self.heard_at = now  # it speaks; we are too busy to listen
        if now - self.spoken_at > HEARTBEAT_SECONDS and self.ready:
            self.say(messages.Alive(shard=0, number=0))

    def lost(self) -> CensusError:
        """What to raise when the other end is gone."""
        return CensusError(f"the connection to {self.other} is lost; start both again with --resume")


def _read(frames: Frames) -> tuple[messages.Any, pa.RecordBatch | None]:
    """Read a message from another machine: its rows are looked at to the last value."""
    message, rows = decode(frames)
    if rows is not None:
        rows.validate(full=True)
    return message, rows


@contextmanager
def listen(context: Context, url: str, keys: WorkerKeys, name: str) -> Iterator[Bridge]:
    """Listen for the associator `name`. Raises InputError if that cannot be done at this URL."""
    _require_tcp(url)
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback("*", Admission(keys))
    socket = _socket(context, zmq.ROUTER, keys.own.public, keys.own.secret)
    socket.curve_server = True
    socket.router_mandatory = True
    try:
        _open(socket.bind, url, "cannot be listened at")
        yield Bridge(socket, f"associator {name}", None)
    finally:
        socket.close(linger=2000)
        authenticator.stop()


@contextmanager
def call(context: Context, url: str, keys: AssociatorKeys) -> Iterator[Bridge]:
    """Call the worker that listens at a URL. Raises InputError if it is none."""
    _require_tcp(url)
    socket = _socket(context, zmq.DEALER, keys.own.public, keys.own.secret)
    socket.curve_serverkey = keys.worker
    try:
        _open(socket.connect, url, "cannot be called")
        yield Bridge(socket, f"the worker at {url}", b"")
    finally:
        socket.close(linger=2000)


def host_of(url: str) -> str:
    """The host of a bridge's URL. Raises InputError if it is none."""
    _require_tcp(url)
    return url.removeprefix("tcp://").rpartition(":")[0].strip("[]")


def _require_tcp(url: str) -> None:
    if not URL.fullmatch(url):
        raise InputError(url, "is not the URL of a worker; write tcp://HOST:PORT")


def _socket(context: Context, kind: int, public: bytes, secret: bytes) -> "zmq.Socket[bytes]":
    socket = context.socket(kind)
    socket.set_hwm(HIGH_WATER_MARK)
    socket.maxmsgsize = FRAME_LIMIT
    socket.curve_publickey, socket.curve_secretkey = public, secret
    return socket


def _open(step: Callable[[str], object], url: str, what: str) -> None:
    try:
        step(url)
    except zmq.ZMQError as error:
        raise InputError(url, f"{what}: {error.strerror}") from None
