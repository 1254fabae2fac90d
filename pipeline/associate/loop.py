"""The event loop that conversations run on."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a loop of its own. uvloop's: benchmarks/visits.py shows what that gains."""
    return uvloop.run(main)
