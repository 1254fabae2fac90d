"""What each kind of process of a worker runs, by the first part of its name."""

from collections.abc import Callable

import zmq

from pipeline.transport.channel import Sender
from pipeline.worker.associator import run_associator
from pipeline.worker.context import WorkerContext
from pipeline.worker.remote_relay import run_remote
from pipeline.worker.sending import run_engine
from pipeline.worker.writer import run_writer

Stage = Callable[[str, WorkerContext, "zmq.Context[zmq.Socket[bytes]]", Sender], None]

STAGES: dict[str, Stage] = {
    "engine": run_engine,
    "associator": run_associator,
    "remote": run_remote,
    "writer": run_writer,
}
