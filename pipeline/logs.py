"""Lines about progress, warnings and errors on standard error: text for people, or JSON for journald and collectors.

CENSUS_LOG_FORMAT decides, and the processes that a command starts inherit it. With `json` a line is one object: `time` (ISO
8601), `level` (INFO, WARNING or ERROR), `message`, and the fields of the event.
"""

import logging
import os
import sys
import traceback
from enum import StrEnum
from functools import cache
from types import TracebackType

from pipeline.untrusted import visible


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


#: The environment variable that names the format.
VARIABLE = "CENSUS_LOG_FORMAT"
#: What a line begins with as text, by level.
PREFIXES = {logging.INFO: "", logging.WARNING: "warning: ", logging.ERROR: "census: "}


def as_json() -> bool:
    """Whether lines are JSON objects."""
    return os.environ.get(VARIABLE) == LogFormat.JSON


def info(message: str, **fields: object) -> None:
    """Report progress. Fields are in the object only; the message says what people need of them."""
    _logger().info("%s", message, extra=fields)


def warning(message: str, **fields: object) -> None:
    """Report what is not as it should be and does not end the program."""
    _logger().warning("%s", message, extra=fields)


def error(message: str, **fields: object) -> None:
    """Report why the program ends."""
    _logger().error("%s", message, extra=fields)


def crash(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Write where in the program an error arose, as `sys.excepthook` does."""
    trace = "".join(traceback.format_exception(kind, error, where))
    print(visible.lines(trace), end="", file=sys.stderr, flush=True)


def hush() -> None:
    """Report no progress from now on; warnings and errors are still written."""
    _logger().setLevel(logging.WARNING)


class _Stderr(logging.Handler):
    """Writes to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(_formatter(as_json()).format(record), file=sys.stderr, flush=True)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible.lines(PREFIXES[record.levelno] + record.getMessage())


@cache
def _formatter(json: bool) -> logging.Formatter:
    if not json:
        return _Text()
    from pythonjsonlogger.json import JsonFormatter

    renamed = {"levelname": "level"}
    return JsonFormatter(["levelname", "message"], rename_fields=renamed, timestamp="time", json_ensure_ascii=True)


@cache
def _logger() -> logging.Logger:
    """The program's own logger: other libraries' loggers and handlers do not concern it."""
    logger = logging.Logger("census", logging.INFO)
    logger.addHandler(_Stderr())
    return logger
