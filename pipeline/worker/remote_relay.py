"""The process that relays to an associator on another machine (`pipeline/worker/remote_associator.py` is the other end).

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

from pipeline import checkout
from pipeline.errors import CensusError, GuardError
from pipeline.outcome import Outcome
from pipeline.transport import bridge, messages
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import HIGH_WATER_MARK, Address, Frames, Receiver, Sender, decode, wait
from pipeline.transport.keys import WorkerKeys
from pipeline.worker.associator import REFUSED
from pipeline.worker.context import PROGRESS_SECONDS, WorkerContext
from pipeline.worker.handed_out import HandedOut

#: Seconds to wait for messages before the connection is checked.
IDLE_SECONDS = 0.05
#: The longest reason of an associator's that is passed on, in characters.
LONGEST_REASON = 500
COUNTS = frozenset({*map(str, Outcome), REFUSED})


def run_remote(
    name: str, context: WorkerContext, zmq_context: "zmq.Context[zmq.Socket[bytes]]", coordinator: Sender
) -> None:
    """Pass the engine's messages on to a remote associator, and its messages to writer and coordinator."""
    remote = next(remote for remote in context.remotes if remote.stage == name)
    inbox = Receiver(zmq_context, Address(context.folder, name))
    writer = Sender(zmq_context, Address(context.folder, "writer"))
    keys = WorkerKeys.read(remote.keys, remote.name)
    with bridge.listen(zmq_context, remote.url, keys, remote.name) as far:
        WorkerRelay(name, context, keys, inbox, writer, coordinator, far).run()
    inbox.close()
    writer.close()


@dataclass(slots=True)
class WorkerRelay:
    """The worker's end: to the engine, this is an associator."""

    name: str
    context: WorkerContext
    keys: WorkerKeys
    inbox: Receiver
    writer: Sender
    coordinator: Sender
    far: Bridge
    handed_out: HandedOut = field(default_factory=HandedOut)
    waiting: deque[Frames] = field(default_factory=deque)
    stops: int = 0
    over: bool = False
    shown: float = 0.0

    def run(self) -> None:
        """Work until the associator has announced that it is done."""
        while not self.over:
            wait(self.sources(), IDLE_SECONDS)
            self.outward()
            self.inward()
            self.far.heartbeat()
            self.show()

    def sources(self) -> list["zmq.Socket[bytes]"]:
        """Return the sockets whose messages could be passed on now."""
        return [self.far.socket] * self.open + [self.inbox.socket] * self.room

    @property
    def open(self) -> bool:
        """Return whether writer and coordinator take more: if one is behind, it slows the associator down."""
        return self.writer.ready and self.coordinator.ready

    @property
    def room(self) -> bool:
        """Return whether more of the engine's messages may wait here."""
        return len(self.waiting) < HIGH_WATER_MARK

    def outward(self) -> None:
        """Pass on the engines' messages; end at once if all engines stop before the associator has called."""
        while self.room and (frames := self.inbox.frames(0.0)) is not None:
            self.waiting.append(frames)
            message, rows = decode(frames)
            self.handed_out.note(message, rows)
            self.stops += isinstance(message, messages.Shutdown)
            if self.far.peer is None and self.stops == len(self.context.engines):
                self.writer.forward(frames)
                self.over = True
        while self.waiting and self.far.ready:
            self.far.send(self.waiting.popleft())

    def inward(self) -> None:
        """Pass on the associator's messages."""
        while self.open and (received := self.far.receive()):
            message, rows, frames = received
            ROUTES.get(type(message), WorkerRelay.drop)(self, message, rows, frames)

    def greet(self, hello: messages.Hello, _rows: object, _frames: Frames) -> None:
        """Admit an associator only if it has our plan and our code."""
        plan = self.context.plan
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
        """Pass rows on to the writer, if they are of targets that were handed out and were not reported before."""
        if self.handed_out.takes(message, rows):
            self.writer.forward(frames)
        else:
            self.far.malformed += 1

    def settle(self, message: messages.Cooled, _rows: object, _frames: Frames) -> None:
        """Pass on to the writer that no more of a range will come from the associator."""
        if self.handed_out.ends(message):
            self.writer.send(message)
        else:
            self.far.malformed += 1

    def end(self, _message: messages.Shutdown, _rows: object, frames: Frames) -> None:
        """Pass on to the writer that no more will come from the associator at all, once the engines have said so."""
        if self.stops < len(self.context.engines):
            self.far.malformed += 1
            return
        self.writer.forward(frames)
        self.over = True

    def report(self, message: messages.Progress, _rows: object, _frames: Frames) -> None:
        """Pass the associator's progress on to the coordinator, under its own name, and no counts but those of visits."""
        counts = {name: count for name, count in message.counts.items() if name in COUNTS and count >= 0}
        reason = message.pause_reason[:LONGEST_REASON]
        self.coordinator.send(
            messages.Progress(
                shard=0,
                number=0,
                stage=self.name,
                counts=counts,
                pause_reason=reason,
                register=message.register[:LONGEST_REASON],
            )
        )

    def fail(self, message: messages.Failed, _rows: object, _frames: Frames) -> None:
        """Pass the associator's failure on to the coordinator."""
        reason = f"{self.far.peer_name}: {message.reason[:LONGEST_REASON]}"
        self.coordinator.send(messages.Failed(shard=0, number=0, reason=reason, exit_code=CensusError.exit_code))

    def heartbeat(self, _message: messages.Heartbeat, _rows: object, _frames: Frames) -> None:
        """Do nothing: only the arrival of a heartbeat counts."""

    def drop(self, _message: messages.AnyMessage, _rows: object, _frames: Frames) -> None:
        """Count a message that an associator must not send."""
        self.far.malformed += 1

    def show(self) -> None:
        """Report now and then what was dropped, and whether the associator has called."""
        now = time.monotonic()
        if now - self.shown > PROGRESS_SECONDS:
            self.shown = now
            if self.keys.revoked:
                raise GuardError(
                    f"the key of {self.far.peer_name} was revoked ({self.keys.path}); start again without it"
                )
            waiting_for = "" if self.far.peer is not None else f"{self.far.peer_name} has not called yet"
            counts = {"malformed_messages": self.far.malformed}
            stage = f"{self.name}, connection"
            self.coordinator.send(
                messages.Progress(shard=0, number=0, stage=stage, counts=counts, pause_reason=waiting_for)
            )


#: What the worker's end does with each kind of message; any other is counted and dropped.
ROUTES: dict[type, Callable[[WorkerRelay, Any, Any, Frames], None]] = {
    messages.Hello: WorkerRelay.greet,
    messages.Heartbeat: WorkerRelay.heartbeat,
    messages.Rows: WorkerRelay.keep,
    messages.Cooled: WorkerRelay.settle,
    messages.Shutdown: WorkerRelay.end,
    messages.Progress: WorkerRelay.report,
    messages.Failed: WorkerRelay.fail,
}
