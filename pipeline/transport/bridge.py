"""The connection to an associator on another machine: encrypted, over TCP, for messages in both directions.

The worker listens, the associator connects. Both ends authenticate by CURVE keys (ZeroMQ's RFC 26); without the right keys
no message passes in either direction. The worker accepts the first associator that sends Hello. A later one with the same
key is refused with a message. Each end sends at least one message per second, so silence means that the other is gone.
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

from pipeline import host
from pipeline.errors import CensusError, InputError
from pipeline.transport import foreign, messages
from pipeline.transport.channel import HIGH_WATER_MARK, Frames
from pipeline.transport.foreign import MalformedMessage
from pipeline.transport.keys import AssociatorKeys, WorkerKeys

#: Each end sends a message at least this often, in seconds, ...
HEARTBEAT_SECONDS = 1.0
#: ... and considers the other lost after this long without one.
LOST_SECONDS = 10.0
URL = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.*-]+):\d{1,5}")
#: The largest frame in bytes: a batch of rows has some hundred kilobytes. ZeroMQ disconnects a peer that sends more.
FRAME_LIMIT = 64 << 20
#: How long a connection may take to show its key, in milliseconds: strangers who say nothing hold no more files than fit in this.
HANDSHAKE_MS = 2000
#: Files that a process which listens may have open, if its hard limit allows.
MOST_FILES = 16_384

Context = zmq.Context["zmq.Socket[bytes]"]


class CurveAuthorizer:
    """Authorises callers by the worker's keys, for ZeroMQ's authentication protocol (ZAP, RFC 27)."""

    def __init__(self, keys: WorkerKeys) -> None:
        self._keys = keys

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether the owner of this key may connect."""
        return self._keys.admits(key)


@dataclass(slots=True)
class Bridge:
    """One end of the connection. `peer_name` is the other end in messages for people."""

    socket: "zmq.Socket[bytes]"
    peer_name: str
    peer: bytes | None
    """A worker's accepted caller, None before there is one; an associator's only peer is b""."""
    malformed: int = 0
    """Number of malformed messages, which are dropped."""
    last_received_at: float | None = None
    last_sent_at: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether a message can be sent without waiting."""
        return self.peer is not None and bool(self.socket.poll(0, zmq.POLLOUT))

    def send(self, frames: Frames) -> None:
        """Send a message. Raises CensusError if the other end is gone."""
        if self.peer is None:
            raise ValueError(f"cannot send: {self.peer_name} has not connected")
        try:
            self.socket.send_multipart([self.peer, *frames] if self.peer else frames)
        except zmq.ZMQError:
            raise self.lost() from None
        self.last_sent_at = time.monotonic()

    def send_message(self, message: messages.AnyMessage) -> None:
        """Send a message without rows. Raises CensusError if the other end is gone."""
        self.send([msgspec.json.encode(message)])

    def receive(self) -> tuple[messages.AnyMessage, pa.RecordBatch | None, Frames] | None:
        """The peer's next message, its rows, and its frames; None if there is none.

        A malformed message is counted and dropped.
        """
        while self.socket.poll(0):
            frames = self.socket.recv_multipart()
            sender = b"" if self.peer == b"" else frames.pop(0)
            try:
                message, rows = foreign.decode(frames)
            except MalformedMessage:
                self.malformed += 1
                continue
            if self._is_peer(sender, message):
                self.last_received_at = time.monotonic()
                return message, rows, frames
        return None

    def _is_peer(self, sender: bytes, message: messages.AnyMessage) -> bool:
        """Whether a message is from the accepted peer: the first caller that sends Hello."""
        if self.peer is None and isinstance(message, messages.Hello):
            self.peer = sender
        if sender != self.peer and isinstance(message, messages.Hello):
            self._refuse(sender)
        return sender == self.peer

    def _refuse(self, sender: bytes) -> None:
        reason = f"another process with the key of {self.peer_name} is already connected"
        refusal = messages.Failed(shard=0, number=0, reason=reason, exit_code=CensusError.exit_code)
        try:
            self.socket.send_multipart([sender, msgspec.json.encode(refusal)], zmq.DONTWAIT)
        except zmq.ZMQError:
            return  # the caller is gone

    def drop_peer(self) -> None:
        """Drop the accepted peer; the next caller that sends Hello is accepted."""
        self.peer = self.last_received_at = None

    def heartbeat(self) -> None:
        """Send a heartbeat if one is due, and check the peer's. Raises CensusError if the peer is lost."""
        now = time.monotonic()
        if self.last_received_at is not None and now - self.last_received_at > LOST_SECONDS:
            if not self.socket.poll(0):
                raise self.lost()
            self.last_received_at = now  # messages are waiting; we were too busy to read them
        if now - self.last_sent_at > HEARTBEAT_SECONDS and self.ready:
            self.send_message(messages.Heartbeat(shard=0, number=0))

    def lost(self) -> CensusError:
        """The error for a peer that is gone."""
        return CensusError(f"the connection to {self.peer_name} is lost; start both again with --resume")


@contextmanager
def listen(context: Context, url: str, keys: WorkerKeys, name: str) -> Iterator[Bridge]:
    """Listen for the associator `name`. Raises InputError if this URL cannot be bound."""
    _require_tcp(url)
    host.raise_file_limit(MOST_FILES)
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback("*", CurveAuthorizer(keys))
    socket = _socket(context, zmq.ROUTER, keys.key_pair.public, keys.key_pair.secret)
    socket.curve_server = True
    socket.router_mandatory = True
    try:
        _open(socket.bind, url, "cannot be bound")
        yield Bridge(socket, f"associator {name}", None)
    finally:
        socket.close(linger=2000)
        authenticator.stop()


@contextmanager
def call(context: Context, url: str, keys: AssociatorKeys) -> Iterator[Bridge]:
    """Connect to the worker that listens at a URL. Raises InputError for an invalid URL."""
    _require_tcp(url)
    socket = _socket(context, zmq.DEALER, keys.key_pair.public, keys.key_pair.secret)
    socket.curve_serverkey = keys.worker
    try:
        _open(socket.connect, url, "cannot be connected to")
        yield Bridge(socket, f"the worker at {url}", b"")
    finally:
        socket.close(linger=2000)


def host_of(url: str) -> str:
    """The host of a bridge's URL. Raises InputError for an invalid URL."""
    _require_tcp(url)
    return url.removeprefix("tcp://").rpartition(":")[0].strip("[]")


def _require_tcp(url: str) -> None:
    if not URL.fullmatch(url):
        raise InputError(url, "is not the URL of a worker; write tcp://HOST:PORT")


def _socket(context: Context, kind: int, public: bytes, secret: bytes) -> "zmq.Socket[bytes]":
    socket = context.socket(kind)
    socket.set_hwm(HIGH_WATER_MARK)
    socket.maxmsgsize = FRAME_LIMIT
    socket.handshake_ivl = HANDSHAKE_MS
    socket.curve_publickey, socket.curve_secretkey = public, secret
    return socket


def _open(step: Callable[[str], object], url: str, what: str) -> None:
    try:
        step(url)
    except zmq.ZMQError as error:
        raise InputError(url, f"{what}: {error.strerror}") from None
