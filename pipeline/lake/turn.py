"""One at a time: of several commands that seal, derive from or report one sweep, one works and the others wait."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipeline.errors import CensusError
from pipeline.lake import inside
from pipeline.lake.layout import SweepPaths
from pipeline.lake.leases import Leases

#: The name of the lock in a folder, and of the lease in a bucket.
LOCK, LEASE = "turn.lock", "turn"
#: Seconds between tries of a lease, and between its renewals.
LOOK_SECONDS, RENEW_SECONDS = 1.0, 15.0


@contextmanager
def of(paths: SweepPaths, message: Callable[[str], object] = lambda _: None) -> Iterator[None]:
    """Hold the sweep's turn while the block runs; `message` tells people that another command has it.

    A lake that cannot be written is only read, and needs no turn.
    """
    waiting = f"{paths.id}: another command seals, derives or reports this sweep; this one waits until it has ended"
    holding = (
        _in_folder(paths, waiting, message) if isinstance(paths.lake, Path) else _in_bucket(paths, waiting, message)
    )
    with holding:
        yield


@contextmanager
def _in_folder(paths: SweepPaths, waiting: str, message: Callable[[str], object]) -> Iterator[None]:
    lock = Path(str(paths.plan)).with_name(LOCK)
    with ExitStack() as stack:
        try:
            taken = stack.enter_context(inside.locked(lock, wait=False))
        except OSError:
            taken = True
        if not taken:
            message(waiting)
            stack.enter_context(inside.locked(lock))
        yield


@contextmanager
def _in_bucket(paths: SweepPaths, waiting: str, message: Callable[[str], object]) -> Iterator[None]:
    leases, over = Leases(paths), threading.Event()
    if not leases.take(LEASE):
        message(waiting)
        while not leases.take(LEASE):
            time.sleep(LOOK_SECONDS)

    def renew() -> None:
        while not over.wait(RENEW_SECONDS):
            with suppress(CensusError, OSError):  # the next renewal may reach the lake again
                leases.renew()

    thread = threading.Thread(target=renew, name="census-turn", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        leases.drop(LEASE)
