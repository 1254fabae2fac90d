"""The event loop that conversations run on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a loop of its own. uvloop's: benchmarks/visits.py shows what that gains."""
    return uvloop.run(main)


def new() -> asyncio.AbstractEventLoop:
    """A loop for who drives it step by step beside other work; to be closed."""
    return uvloop.new_event_loop()
