"""The process that stands in for an associator on another machine (`pipeline/worker/remote_associator.py` is the other end).

```
engine → this process ⇒ TCP with CURVE ⇒ its relay → associator
writer, coordinator ← this process ⇐ TCP with CURVE ⇐ its relay ← associator
```
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import zmq

from pipeline import checkout, schema
from pipeline.errors import GuardError
from pipeline.transport import bridge, messages
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import HIGH_WATER_MARK, Address, Frames, Receiver, Sender, is_shutdown, wait
from pipeline.transport.keys import WorkerKeys
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext

#: How long to wait for messages before looking after the connection, in seconds.
IDLE_SECONDS = 0.05
#: Tables that an associator has rows for.
TABLES = frozenset({"responses", "associations", "banners", "tls"})


def run_remote(
    name: str, setting: WorkerContext, context: "zmq.Context[zmq.Socket[bytes]]", coordinator: Sender
) -> None:
    """Carry what the engine says to an associator elsewhere, and what that one says to writer and coordinator."""
    remote = next(remote for remote in setting.remotes if remote.stage == name)
    inbox = Receiver(context, Address(setting.folder, name))
    writer = Sender(context, Address(setting.folder, "writer"))
    with bridge.listen(context, remote.url, WorkerKeys.read(remote.keys, remote.name), remote.name) as far:
        WorkerRelay(name, setting, inbox, writer, coordinator, far).run()
    inbox.close()
    writer.close()


@dataclass(slots=True)
class WorkerRelay:
    """The worker's end: the engine takes it for an associator."""

    name: str
    setting: WorkerContext
    inbox: Receiver
    writer: Sender
    coordinator: Sender
    far: Bridge
    waiting: deque[Frames] = field(default_factory=deque)
    stops: int = 0
    over: bool = False
    shown: float = 0.0

    def run(self) -> None:
        """Work until the associator has said that it is done."""
        while not self.over:
            wait(self.sources(), IDLE_SECONDS)
            self.outward()
            self.inward()
            self.far.heartbeat()
            self.show()

    def sources(self) -> list["zmq.Socket[bytes]"]:
        """Whose messages could be carried on now."""
        return [self.far.socket] * self.open + [self.inbox.socket] * self.room

    @property
    def open(self) -> bool:
        """Whether writer and coordinator take more: who is behind slows the associator down."""
        return self.writer.ready and self.coordinator.ready

    @property
    def room(self) -> bool:
        """Whether more of the engine's messages may wait here."""
        return len(self.waiting) < HIGH_WATER_MARK

    def outward(self) -> None:
        """Carry on what the engines say; end at once if all of them stop before anybody called."""
        while self.room and (frames := self.inbox.frames(0.0)) is not None:
            self.waiting.append(frames)
            self.stops += is_shutdown(frames)
            if self.far.peer is None and self.stops == len(self.setting.engines):
                self.writer.forward(frames)
                self.over = True
        while self.waiting and self.far.ready:
            self.far.send(self.waiting.popleft())

    def inward(self) -> None:
        """Carry on what the associator says."""
        while self.open and (received := self.far.receive()):
            message, rows, frames = received
            ROUTES.get(type(message), WorkerRelay.drop)(self, message, rows, frames)

    def greet(self, hello: messages.Hello, _rows: object, _frames: Frames) -> None:
        """Let an associator in that has our plan and our code, and no other."""
        plan = self.setting.plan
        wrong = {
            "plan": (hello.plan_digest, plan.digest),
            "code": (hello.code_version, checkout.code()),
        }
        for what, (theirs, ours) in wrong.items():
            if theirs != ours:
                reason = f"associator {self.name} has another {what} ({theirs:.20}) than its worker ({ours:.20})"
                self.far.send_message(messages.Failed(shard=0, number=0, reason=reason, exit_code=GuardError.exit_code))
                self.far.drop_peer()
                return

    def keep(self, message: messages.Rows, rows: pa.RecordBatch | None, frames: Frames) -> None:
        """Let the writer have rows of the tables that an associator has rows for."""
        if message.table in TABLES and rows is not None and rows.schema == schema.table(message.table).arrow:
            self.writer.forward(frames)
        else:
            self.far.malformed += 1

    def settle(self, _message: messages.Cooled, _rows: object, frames: Frames) -> None:
        """Let the writer know that no more of a range will come from there."""
        self.writer.forward(frames)

    def end(self, _message: messages.Shutdown, _rows: object, frames: Frames) -> None:
        """Let the writer know that no more will come from there at all."""
        self.writer.forward(frames)
        self.over = True

    def report(self, _message: messages.AnyMessage, _rows: object, frames: Frames) -> None:
        """Let the coordinator know how the associator is."""
        self.coordinator.forward(frames)

    def heartbeat(self, _message: messages.Heartbeat, _rows: object, _frames: Frames) -> None:
        """Nothing is to be done: that it came is what counts."""

    def drop(self, _message: messages.AnyMessage, _rows: object, _frames: Frames) -> None:
        """Count a message that is no associator's to send."""
        self.far.malformed += 1

    def show(self) -> None:
        """Report now and then what was dropped, and whether the associator has called."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS:
            self.shown = now
            held = "" if self.far.peer is not None else f"{self.far.peer_name} has not called yet"
            counts = {"malformed_messages": self.far.malformed}
            stage = f"{self.name}, connection"
            self.coordinator.send(messages.Progress(shard=0, number=0, stage=stage, counts=counts, pause_reason=held))


#: What the worker's end does with each kind of message; any other is counted and dropped.
ROUTES: dict[type, Callable[[WorkerRelay, Any, Any, Frames], None]] = {
    messages.Hello: WorkerRelay.greet,
    messages.Heartbeat: WorkerRelay.heartbeat,
    messages.Rows: WorkerRelay.keep,
    messages.Cooled: WorkerRelay.settle,
    messages.Shutdown: WorkerRelay.end,
    messages.Progress: WorkerRelay.report,
    messages.Failed: WorkerRelay.report,
}
