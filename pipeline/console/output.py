"""The one way to standard output: lines and JSON in which nothing moves, recolours or hides what is seen.

`console.screen` does the same for tables and live views, `logs` for standard error. `tests/console/test_output.py` finds every
call that goes past them.
"""

import json
import sys
from collections.abc import Callable
from typing import IO, Any

import msgspec

from pipeline.untrusted import visible


def text(content: str, *, flush: bool = False) -> None:
    """Print text in lines."""
    print(visible.lines(content), flush=flush)


def json_line(value: Any, *, default: Callable[[Any], Any] | None = None, flush: bool = False) -> None:
    """Print a value as one line of JSON; every character beyond ASCII is written as its code."""
    print(json.dumps(value, default=default or _plain), flush=flush)


def _plain(value: Any) -> Any:
    """Return what JSON has for a structure or a data class."""
    return json.loads(msgspec.json.encode(value))


def stream() -> IO[bytes]:
    """Return where a result goes whose writer has made it harmless itself (`console.result_formats`)."""
    return sys.stdout.buffer
