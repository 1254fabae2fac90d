"""An associator on this machine for a worker on another one: the other end of `pipeline/worker/remote_relay.py`.

The associator's process is the same as a worker's own; the relay here takes the part of engine, writer and coordinator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import zmq

from pipeline import checkout
from pipeline.errors import CensusError, InputError, failure
from pipeline.guard import sockets
from pipeline.lake.layout import Sweep
from pipeline.transport import bridge, messages
from pipeline.transport import keys as keying
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import Address, Receiver, Sender, is_shutdown, temporary_folder, wait
from pipeline.worker import processes, room
from pipeline.worker.context import RemoteAssociator, WorkerContext
from pipeline.worker.remote_relay import IDLE_SECONDS

#: Seconds that the associator's process may take to end after it has announced that it is done.
END_SECONDS = 5.0


def remotes(written: list[str], keys: Path) -> tuple[RemoteAssociator, ...]:
    """Parse `NAME=URL` of each remote associator that a worker listens for. Raises InputError that names a wrong one."""
    associators = tuple(RemoteAssociator(*text.partition("=")[::2], keys=keys) for text in written)
    for remote in associators:
        if not remote.url or not keying.NAME.fullmatch(remote.name):
            raise InputError(
                f"--associator {remote.name}={remote.url}", "must be NAME=URL, the name one of `census keys`"
            )
        bridge.host_of(remote.url)
        keying.WorkerKeys.read(keys, remote.name)
    if len({remote.name for remote in associators}) < len(associators):
        raise InputError("--associator", "names an associator twice")
    return associators


def associate(sweep: Sweep, *, name: str, url: str, keys: Path) -> None:
    """Hold the conversations that the worker at a URL passes on, until it is done.

    Raises InputError if keys or URL cannot be used, GuardError if the worker refuses us, and CensusError if it is lost.
    """
    sockets.require_authorised(sweep.plan.identity)
    room.require_enough(sweep.plan)
    sockets.require_reach(bridge.host_of(url), "a connection")
    secrets = keying.AssociatorKeys.read(keys, name)
    with temporary_folder(f"associator-{name}") as folder, zmq.Context() as zmq_context:
        context = WorkerContext(Path(folder), sweep, secret=b"")
        with (
            bridge.call(zmq_context, url, secrets) as worker,
            _associator(f"associator-{name}", context, zmq_context) as here,
        ):
            worker.send_message(
                messages.Hello(shard=0, number=0, plan_digest=sweep.plan.digest, code_version=checkout.code())
            )
            Relay(worker, *here).run()


@contextmanager
def _associator(
    name: str, context: WorkerContext, zmq_context: "zmq.Context[zmq.Socket[bytes]]"
) -> "Iterator[tuple[Sender, list[Receiver], ForkServerProcess]]":
    """Start the associator's process; yield the channel to it, the channels from it, and the process."""
    channels = [Receiver(zmq_context, Address(context.folder, receiver)) for receiver in ("writer", "coordinator")]
    process = processes.start(name, context)
    to = Sender(zmq_context, Address(context.folder, name))
    try:
        yield to, channels, process
        process.join(END_SECONDS)
    finally:
        process.kill()
        process.join()
        to.close(linger=0)
        for channel in channels:
            channel.close()


@dataclass(slots=True)
class Relay:
    """The associator's end: to its process, this is engine, writer and coordinator."""

    worker: Bridge
    associator: Sender
    channels: list[Receiver]
    process: ForkServerProcess
    over: bool = False

    def run(self) -> None:
        """Work until the associator has announced that it is done."""
        while not self.over:
            wait(self.sources(), IDLE_SECONDS)
            self.inward()
            self.outward()
            self.worker.heartbeat()
            if not self.process.is_alive() and not self.over:
                raise CensusError(f"{self.process.name} ended with exit code {self.process.exitcode}")

    def sources(self) -> list["zmq.Socket[bytes]"]:
        """Return the sockets whose messages could be passed on now."""
        return [self.worker.socket] * self.associator.ready + [
            channel.socket for channel in self.channels if self.worker.ready
        ]

    def inward(self) -> None:
        """Pass on the worker's messages."""
        while self.associator.ready and (received := self.worker.receive()):
            match received:
                case (messages.Failed() as failed, _, _):
                    raise failure(failed.reason, failed.exit_code)
                case (messages.Rows() | messages.Cooled() | messages.Shutdown(), _, frames):
                    self.associator.forward(frames)

    def outward(self) -> None:
        """Pass on the associator's messages."""
        for channel in self.channels:
            while self.worker.ready and (frames := channel.frames(0.0)) is not None:
                self.worker.send(frames)
                self.over = self.over or is_shutdown(frames)
