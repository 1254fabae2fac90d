"""An associator on this machine for a worker on another one: the other end of `pipeline/worker/remote_relay.py`.

The associator's process is the same as a worker's own; the relay here stands in for engine, writer and coordinator.
"""

import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path

import zmq

from pipeline import checkout
from pipeline.errors import CensusError, InputError, failure
from pipeline.guard import sockets
from pipeline.lake.layout import Sweep
from pipeline.transport import bridge, messages
from pipeline.transport import keys as keying
from pipeline.transport.bridge import Bridge
from pipeline.transport.channel import Address, Receiver, Sender, is_shutdown, wait
from pipeline.worker.context import RemoteAssociator, WorkerContext
from pipeline.worker.process import run
from pipeline.worker.remote_relay import IDLE_SECONDS

#: How long the associator's process may take to end once it has said that it is done, in seconds.
END_SECONDS = 5.0


def remotes(written: list[str], keys: Path) -> tuple[RemoteAssociator, ...]:
    """The associators elsewhere that a worker listens for, out of `NAME=URL`. Raises InputError naming what is none."""
    found = tuple(RemoteAssociator(*one.partition("=")[::2], keys=keys) for one in written)
    for remote in found:
        if not remote.url or not keying.NAME.fullmatch(remote.name):
            raise InputError(
                f"--associator {remote.name}={remote.url}", "must be NAME=URL, the name one of `census keys`"
            )
        bridge.host_of(remote.url)
        keying.WorkerKeys.read(keys, remote.name)
    if len({remote.name for remote in found}) < len(found):
        raise InputError("--associator", "names an associator twice")
    return found


def associate(sweep: Sweep, *, name: str, url: str, keys: Path) -> None:
    """Hold the conversations that the worker at a URL hands on, until it is done.

    Raises InputError if keys or URL cannot be used, GuardError if the worker refuses us, and CensusError if it is lost.
    """
    sockets.require_authorised(sweep.plan.identity)
    sockets.require_reach(bridge.host_of(url), "a connection")
    secrets = keying.AssociatorKeys.read(keys, name)
    with tempfile.TemporaryDirectory(prefix="census-") as folder, zmq.Context() as context:
        setting = WorkerContext(Path(folder), sweep, secret=b"")
        with bridge.call(context, url, secrets) as worker, _associator(f"associator-{name}", setting, context) as here:
            worker.send_message(
                messages.Hello(shard=0, number=0, plan_digest=sweep.plan.digest, code_version=checkout.code())
            )
            Relay(worker, *here).run()


@contextmanager
def _associator(
    name: str, setting: WorkerContext, context: "zmq.Context[zmq.Socket[bytes]]"
) -> "Iterator[tuple[Sender, list[Receiver], SpawnProcess]]":
    """Start the associator's process; the way to it, the ways from it, and itself."""
    ways = [Receiver(context, Address(setting.folder, whose)) for whose in ("writer", "coordinator")]
    process = multiprocessing.get_context("spawn").Process(target=run, args=(name, setting), name=name, daemon=True)
    process.start()
    to = Sender(context, Address(setting.folder, name))
    try:
        yield to, ways, process
        process.join(END_SECONDS)
    finally:
        process.kill()
        process.join()
        to.close(linger=0)
        for way in ways:
            way.close()


@dataclass(slots=True)
class Relay:
    """The associator's end: its process takes this for engine, writer and coordinator."""

    worker: Bridge
    associator: Sender
    ways: list[Receiver]
    process: SpawnProcess
    over: bool = False

    def run(self) -> None:
        """Work until the associator has said that it is done."""
        while not self.over:
            wait(self.sources(), IDLE_SECONDS)
            self.inward()
            self.outward()
            self.worker.heartbeat()
            if not self.process.is_alive() and not self.over:
                raise CensusError(f"{self.process.name} ended with exit code {self.process.exitcode}")

    def sources(self) -> list["zmq.Socket[bytes]"]:
        """Whose messages could be carried on now."""
        return [self.worker.socket] * self.associator.ready + [way.socket for way in self.ways if self.worker.ready]

    def inward(self) -> None:
        """Carry on what the worker says."""
        while self.associator.ready and (received := self.worker.receive()):
            match received:
                case (messages.Failed() as failed, _, _):
                    raise failure(failed.reason, failed.exit_code)
                case (messages.Rows() | messages.Cooled() | messages.Shutdown(), _, frames):
                    self.associator.forward(frames)

    def outward(self) -> None:
        """Carry on what the associator says."""
        for way in self.ways:
            while self.worker.ready and (frames := way.frames(0.0)) is not None:
                self.worker.send(frames)
                self.over = self.over or is_shutdown(frames)
