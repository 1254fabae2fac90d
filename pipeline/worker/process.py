"""A process of a worker: one stage, from its start to its end."""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable

import zmq

from pipeline import host
from pipeline.errors import CensusError, of_system
from pipeline.guard import forbidden
from pipeline.transport import messages
from pipeline.transport.channel import Address, Sender
from pipeline.worker import mandate, open_files
from pipeline.worker.context import WorkerContext

PR_SET_PDEATHSIG = 1  # linux/prctl.h
Stage = Callable[[str, WorkerContext, "zmq.Context[zmq.Socket[bytes]]", Sender], None]


def names(context: WorkerContext) -> list[str]:
    """Return the names of the processes of a worker."""
    return [*context.engines, *context.associators, "writer"]


def run(name: str, context: WorkerContext) -> None:
    """Run a stage until it is stopped; report to the coordinator any error that ends it."""
    _die_with_the_coordinator()
    host.raise_file_limit(open_files.needed(context.plan))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    coordinator = Sender(zmq_context, Address(context.folder, "coordinator"))
    try:
        mandate.require(context.plan)
        forbidden.allow_private(context.plan.signed_ranges)
        _stage(name)(name, context, zmq_context, coordinator)
    except CensusError as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=str(error), exit_code=error.exit_code))
    except OSError as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=of_system(name, error), exit_code=1))
    except Exception as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=f"{name}: {error!r}", exit_code=1))
    finally:
        coordinator.close()
        zmq_context.term()


def _stage(name: str) -> Stage:
    """Return the stage that a process of this name runs. Only its own stage is imported, since imports take time."""
    return STAGES[name.partition("-")[0]]()


def _engine() -> Stage:
    from pipeline.worker.sending import run_engine

    return run_engine


def _associator() -> Stage:
    from pipeline.worker.associator import run_associator

    return run_associator


def _remote() -> Stage:
    from pipeline.worker.remote_relay import run_remote

    return run_remote


def _writer() -> Stage:
    from pipeline.worker.writer import run_writer

    return run_writer


#: What each kind of process runs, by the first part of its name; loaded when a process of that kind begins.
STAGES: dict[str, Callable[[], Stage]] = {
    "engine": _engine,
    "associator": _associator,
    "remote": _remote,
    "writer": _writer,
}


def _die_with_the_coordinator() -> None:
    """Have the kernel kill this process when the thread that started it has ended: nothing else would stop its sending."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    coordinator = multiprocessing.parent_process()
    if coordinator is None or os.getppid() != coordinator.pid:
        raise SystemExit("the coordinator is gone")
