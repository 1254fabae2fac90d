"""How many workers have read what was just written into a register."""

import time
from dataclasses import dataclass

from pipeline.lake.layout import SweepPaths
from pipeline.optout import chained
from pipeline.optout.obeyed import ObeyedRegister
from pipeline.optout.watch import STALE_SECONDS
from pipeline.status.workers import WorkerProgress, worker_progress

#: How long to wait for workers: after STALE_SECONDS one that has not read the register sends nothing. Then they tell it.
WAIT_SECONDS = STALE_SECONDS + 2.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How many workers run, and the machines of those that have not acknowledged."""

    workers: int
    silent: tuple[str, ...]

    def __str__(self) -> str:
        if not self.workers:
            return "no worker runs now; each reads the register before it sends"
        if not self.silent:
            return f"acknowledged by {self.workers} of {self.workers} workers"
        return (
            f"acknowledged by {self.workers - len(self.silent)} of {self.workers} workers in {WAIT_SECONDS:.0f} s, not by "
            f"{', '.join(self.silent)}: a worker that cannot read the register sends nothing"
        )


def report(named: ObeyedRegister) -> str:
    """Wait for the workers of a lake, and return how many have read what was written, for people."""
    reply = wait(named)
    return str(reply) if reply else "name the lake instead of the register to see which workers have read it"


def wait(named: ObeyedRegister) -> Acknowledged | None:
    """Wait until the workers of a lake have read its register as it is now; None if no lake was named."""
    if named.lake is None:
        return None
    written = named.register.read()
    until = time.monotonic() + WAIT_SECONDS
    while True:
        reply = _look(named, written)
        if not reply.silent or time.monotonic() > until:
            return reply
        time.sleep(LOOK_SECONDS)


def _look(named: ObeyedRegister, written: bytes) -> Acknowledged:
    later = chained.digests(named.register.read()) - (chained.digests(written) - {chained.digest(written)})
    paths = [SweepPaths(named.lake, plan.sweep) for plan in named.plans] if named.lake else []
    alive = [worker for each in paths for worker in worker_progress(each) if worker.lives(time.time())]
    silent = [worker for worker in alive if not worker.registers or not later.issuperset(worker.registers)]
    return Acknowledged(len(alive), tuple(map(_host, silent)))


def _host(worker: WorkerProgress) -> str:
    return worker.holder.host if worker.holder else "a worker"
