"""Rows of a sweep on standard output, a JSON object a line."""

from datetime import datetime
from ipaddress import IPv4Address
from typing import Any

from pipeline import schema
from pipeline.console import output
from pipeline.errors import InputError
from pipeline.lake import follow as following
from pipeline.lake.layout import SweepPaths


def show(paths: SweepPaths, table: str, *, follow: bool) -> None:
    """Print the rows of a table. Addresses are dotted, bytes hexadecimal, times ISO 8601. Raises InputError for an unknown table."""
    known = [each.name for each in schema.tables()]
    if table not in known:
        raise InputError("--table", f"{table!r} is not a table; there are {', '.join(known)}")
    for row in following.rows(paths, table, until_sealed=follow):
        address = {"address": str(IPv4Address(row["ip"]))} if "ip" in row else {}
        output.json_line(address | row, default=_text, flush=follow)


def _text(value: Any) -> str:
    """A value that JSON has no form for, as text."""
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
    return str(value)
