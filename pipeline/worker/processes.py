"""The processes of a worker while they run, and the channels to its engines."""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pyarrow as pa
import zmq

from pipeline.transport import messages
from pipeline.transport.channel import Address, Sender
from pipeline.worker.context import WorkerContext
from pipeline.worker.process import names, run
from pipeline.worker.testbed_watch import TestbedWatch

#: Seconds that a process may take to end after its last message.
END_SECONDS = 5.0

#: All processes are forked from one that has imported these: they start sooner, and share that memory.
IMPORTS = ["pipeline.worker.process", "pipeline.worker.stages"]
_forked = multiprocessing.get_context("forkserver")
_forked.set_forkserver_preload(IMPORTS)


def start(name: str, context: WorkerContext) -> ForkServerProcess:
    """Start the process of this name."""
    process = _forked.Process(target=run, args=(name, context), name=f"census-{name}", daemon=True)
    process.start()
    return process


@contextmanager
def _short_temporary_folder(folder: Path) -> Iterator[None]:
    """Have multiprocessing make its own folder in this one: TMPDIR may be too long for the socket in it (unix(7))."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


class WorkerProcesses:
    """The processes of a worker, started when the block begins and waited for at its end. Use it as a context manager."""

    def __init__(self, context: WorkerContext, zmq_context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        self._context, self._zmq_context = context, zmq_context
        self._testbed = TestbedWatch()
        self._processes: list[ForkServerProcess] = []
        self._engines: list[Sender] = []

    def __enter__(self) -> "WorkerProcesses":
        try:
            with _short_temporary_folder(self._context.folder.parent):
                for name in names(self._context):
                    self._processes.append(start(name, self._context))
        except BaseException:
            for process in self._processes:
                process.kill()
                process.join()
            raise
        self._engines = [
            Sender(self._zmq_context, Address(self._context.folder, each)) for each in self._context.engines
        ]
        return self

    @property
    def senders(self) -> range:
        """Return the numbers of the senders."""
        return range(len(self._engines))

    def send(self, sender: int, message: messages.AnyMessage, rows: pa.RecordBatch | None = None) -> None:
        """Send a sender's engine a message."""
        self._engines[sender].send(message, rows)

    def stop(self) -> None:
        """Send all engines a stop, which they pass on to the other processes."""
        for sender in self.senders:
            self.send(sender, messages.Shutdown(shard=0, number=0))

    @property
    def pids(self) -> list[int]:
        """Return the pids of the processes that still run, and of this one."""
        started = (process.pid for process in self._processes if process.is_alive())
        return [os.getpid(), *(pid for pid in started if pid is not None)]

    @property
    def any_alive(self) -> bool:
        """Return whether some process still runs."""
        return any(process.is_alive() for process in self._processes)

    def ended(self) -> ForkServerProcess | None:
        """Return a process that has ended, if there is one. Raises GuardError if the testbed that they send in is no longer closed."""
        self._testbed.check()
        return next((process for process in self._processes if not process.is_alive()), None)

    def __exit__(self, *_: object) -> None:
        """Wait for the processes, kill those that do not end, and close the channels to them."""
        for process in self._processes:
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        for engine in self._engines:
            engine.close()
