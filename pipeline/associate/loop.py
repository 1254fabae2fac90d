"""The event loop that conversations run on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a new uvloop loop; benchmarks/visits.py measures the gain over asyncio's own."""
    return uvloop.run(main)


def new() -> asyncio.AbstractEventLoop:
    """A loop for a caller that runs it step by step between other work, and closes it."""
    return uvloop.new_event_loop()
