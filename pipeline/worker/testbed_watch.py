"""The watch over a testbed: rings go on sending once they are open, so the proof that it is closed is made again while they do."""

import time

from pipeline.errors import GuardError
from pipeline.guard import sockets

#: Seconds between two proofs: one looks at every link of every namespace.
PROOF_SECONDS = 2.0


class TestbedWatch:
    """Call `check` often. Outside of a testbed it does nothing."""

    __test__ = False  # no test of pytest's

    def __init__(self) -> None:
        self._closed = sockets.in_closed_testbed()
        self._proved = time.monotonic()

    def check(self) -> None:
        """Raise GuardError if the testbed that this began in is no longer closed."""
        if not self._closed or time.monotonic() - self._proved < PROOF_SECONDS:
            return
        if reasons := sockets.why_open():
            raise GuardError(f"the testbed is no longer closed ({'; '.join(reasons)}): sending has stopped")
        self._proved = time.monotonic()
