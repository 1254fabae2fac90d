"""A database in any form that its producers publish: an mmdb, a Parquet table, or lines of text; gzip around it is undone.

Text is ip-location-db's CSV (first, last, then a country, or a number and a holder), iptoasn.com's lines (first, last, number,
country, holder), or CAIDA's prefixes (`prefix_table`). Whatever it is, it becomes a table of ranges with its facts.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path

import pyarrow as pa

from pipeline.enrich import announcements, geo, prefix_table, range_table
from pipeline.enrich.country_code import normalised
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.enrich.mmdb import MARKER, Mmdb
from pipeline.errors import InputError
from pipeline.space import address_list
from pipeline.untrusted import bounded

SCHEMAS = {
    DatabaseKind.COUNTRY: geo.SCHEMA,
    DatabaseKind.ASN: announcements.SCHEMA,
    DatabaseKind.ANNOUNCED: prefix_table.SCHEMA,
}
FLATTEN: dict[DatabaseKind, Callable[[Mmdb], pa.Table]] = {
    DatabaseKind.COUNTRY: geo.flatten,
    DatabaseKind.ASN: announcements.flatten,
}
#: Separator and number of columns of a text → the columns of each kind in it, after the first and the last address.
LAYOUTS: dict[tuple[str, int], dict[DatabaseKind, tuple[int, ...]]] = {
    (",", 3): {DatabaseKind.COUNTRY: (2,)},
    (",", 4): {DatabaseKind.ASN: (2, 3)},
    ("\t", 5): {DatabaseKind.COUNTRY: (3,), DatabaseKind.ASN: (2, 4)},
}
#: A date in the name of a file: `routeviews-rv2-20261128-1200.pfx2as.gz`, `asn-2026-11-01.csv`.
DATED = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])(?!\d)")


def read(path: Path, kind: DatabaseKind, built: date | None = None) -> tuple[pa.Table, dict[str, str]]:
    """Read a database of a kind: its ranges and its facts. `built` is the date of a text that does not name its own.

    Raises InputError if the file is damaged, is a database of another kind, or has no date.
    """
    data = _bytes(path)
    if data.startswith(range_table.MAGIC):
        return range_table.read(path, SCHEMAS[kind], kind)
    if MARKER in data:
        if kind not in FLATTEN:
            raise InputError(
                str(path), "is an mmdb, which has no announced prefixes; give a file in CAIDA's pfx2as format"
            )
        database = Mmdb(path, data)
        return FLATTEN[kind](database), database.facts
    facts = {"name": path.name, "build_date": _date(path, built), "sha256": sha256(data).hexdigest()}
    return _text(path, kind, data), facts


def _bytes(path: Path) -> bytes:
    data = bounded.read(path, bounded.DATABASE)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        inflated = gzip.GzipFile(fileobj=io.BytesIO(data)).read(bounded.DATABASE + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(str(path), f"is damaged: {error}; fetch it again") from None
    bounded.require(len(inflated), bounded.DATABASE, f"{path}, inflated")
    return inflated


def _date(path: Path, built: date | None) -> str:
    named = DATED.search(path.name)
    try:
        day = date(*map(int, named.groups())) if named else built
    except ValueError:
        day = built
    if day is None:
        raise InputError(str(path), "has no date in its name; `census refresh --date` takes one")
    return day.isoformat()


def _text(path: Path, kind: DatabaseKind, data: bytes) -> pa.Table:
    try:
        # A holder chooses its name, which may have what only `str.splitlines` takes for the end of a line.
        lines = address_list.lines(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(
            str(path), f"is neither an mmdb, nor a Parquet table, nor text; give a {kind} database"
        ) from None
    if kind is DatabaseKind.ANNOUNCED:
        return prefix_table.read(lines, str(path))
    separator = "\t" if "\t" in next(filter(str.strip, lines), "") else ","
    try:
        rows = list(csv.reader(lines, delimiter=separator, strict=True,
                               quoting=csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE))  # fmt: skip
    except csv.Error as error:
        raise InputError(str(path), f"is damaged: {error}; fetch it again") from None
    width = next((len(row) for row in rows if not _blank(row)), 0)
    columns = LAYOUTS.get((separator, width), {}).get(kind)
    if columns is None:
        raise InputError(
            str(path), f"is not a text of {kind} ranges: see docs/configuration.md for the columns that it needs"
        )
    ranges = list(_ranges(rows, columns, str(path)))
    if not ranges:
        raise InputError(str(path), f"has no {kind} of any IPv4 address; name a database of another kind")
    table = pa.table(dict(zip(SCHEMAS[kind].names, zip(*ranges, strict=True), strict=True)))
    return range_table.in_order(path, table.cast(SCHEMAS[kind]))


def _blank(row: list[str]) -> bool:
    return not "".join(row).strip()


def _ranges(
    rows: list[list[str]], columns: tuple[int, ...], where: str
) -> Iterator[tuple[int, int, object, *tuple[str, ...]]]:
    """First and last address and the values of each row that has an IPv4 range and a value."""
    read_value = normalised if len(columns) == 1 else announcements.as_number
    for number, row in enumerate(rows, 1):
        if _blank(row) or ":" in row[0]:
            continue
        try:
            first, last = (_address(text) for text in row[:2])
            value, *rest = (row[column] for column in columns)
        except (ValueError, IndexError) as error:
            raise InputError(f"{where}, line {number}", f"is not a range of addresses: {error}") from None
        if (known := read_value(value)) is not None:
            yield first, last, known, *rest


def _address(text: str) -> int:
    return int(IPv4Address(int(text) if text.isdecimal() else text))
