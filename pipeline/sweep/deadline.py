"""The longest time that a sweep may run before it ends in an orderly way."""

import time
from collections.abc import Callable

from pipeline.errors import Interrupted


def deadline(seconds: float | None) -> Callable[[], None]:
    """Return a check that raises Interrupted once this time is over, counted from now; without a time it never does."""
    end = time.monotonic() + seconds if seconds else float("inf")

    def check() -> None:
        if time.monotonic() >= end:
            raise Interrupted(
                f"the time of --max-runtime is over ({seconds:g} s); run again with --resume for the rest"
            )

    return check
