"""A process of a worker: one stage, from its start to its end."""

import fcntl
import multiprocessing
import os
import signal

import zmq

from pipeline import host
from pipeline.errors import CensusError, of_system
from pipeline.guard import forbidden
from pipeline.transport import messages
from pipeline.transport.channel import Address, Sender
from pipeline.worker import mandate, open_files
from pipeline.worker.context import WorkerContext


def names(context: WorkerContext) -> list[str]:
    """Return the names of the processes of a worker."""
    return [*context.engines, *context.associators, "writer"]


def run(name: str, context: WorkerContext) -> None:
    """Run a stage until it is stopped; report to the coordinator any error that ends it."""
    _die_with_the_coordinator()
    from pipeline.worker.stages import STAGES  # here, since the coordinator, which imports this module too, needs none

    host.raise_file_limit(open_files.needed(context.plan))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    zmq_context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    coordinator = Sender(zmq_context, Address(context.folder, "coordinator"))
    try:
        mandate.require(context.sweep.plan)
        forbidden.allow_private(context.plan.signed_ranges)
        STAGES[name.partition("-")[0]](name, context, zmq_context, coordinator)
    except CensusError as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=str(error), exit_code=error.exit_code))
    except OSError as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=of_system(name, error), exit_code=1))
    except Exception as error:
        coordinator.send(messages.Failed(shard=0, number=0, reason=f"{name}: {error!r}", exit_code=1))
    finally:
        coordinator.close()
        zmq_context.term()


def _die_with_the_coordinator() -> None:
    """Have the kernel kill this process when the coordinator has ended: nothing else would stop its sending.

    The coordinator alone holds the other end of a pipe; its end is a signal of our choice (fcntl(2), F_SETSIG).
    """
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        fcntl.fcntl(coordinator.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(coordinator.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(coordinator.sentinel, fcntl.F_SETFL, os.O_ASYNC)
    if coordinator is None or not coordinator.is_alive():
        raise SystemExit("the coordinator is gone")
