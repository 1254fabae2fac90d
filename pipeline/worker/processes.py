"""The processes of a worker while they run, and the ways to its senders."""

import multiprocessing
from multiprocessing.context import SpawnProcess

import pyarrow as pa
import zmq

from pipeline.transport import messages
from pipeline.transport.channel import Address, Sender
from pipeline.worker.context import WorkerContext
from pipeline.worker.process import names, run

#: How long a process may take to end when everything has been said, in seconds.
END_SECONDS = 5.0


class WorkerProcesses:
    """Starts the processes of a setting; `end` is to be called whatever happens."""

    def __init__(self, setting: WorkerContext, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        spawn = multiprocessing.get_context("spawn")
        self._processes = [
            spawn.Process(target=run, args=(name, setting), name=f"census-{name}", daemon=True)
            for name in names(setting)
        ]
        for process in self._processes:
            process.start()
        self._engines = [Sender(context, Address(setting.folder, name)) for name in setting.engines]

    @property
    def senders(self) -> range:
        """The numbers of the senders."""
        return range(len(self._engines))

    def tell(self, sender: int, message: messages.AnyMessage, rows: pa.RecordBatch | None = None) -> None:
        """Send a sender's engine a message."""
        self._engines[sender].send(message, rows)

    def stop(self) -> None:
        """Tell all engines to stop; the other processes hear it from them."""
        for sender in self.senders:
            self.tell(sender, messages.Shutdown(shard=0, number=0))

    @property
    def any_alive(self) -> bool:
        """Whether some process still runs."""
        return any(process.is_alive() for process in self._processes)

    def ended(self) -> SpawnProcess | None:
        """A process that runs no more."""
        return next((process for process in self._processes if not process.is_alive()), None)

    def end(self) -> None:
        """Wait for the processes, kill those that do not end, and close the ways to them."""
        for process in self._processes:
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        for engine in self._engines:
            engine.close()
