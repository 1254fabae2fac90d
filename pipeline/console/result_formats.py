"""The rows of a query as a table for people or in one of the formats of files. Two columns of one name are both kept."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.table import Table

from pipeline.publish.escape import csv_cell
from pipeline.untrusted.visible import visible

#: Longest text of a cell on a screen, in characters: a comment of the schema is shown whole. Files and pipes cut nothing.
LONGEST_CELL = 2000
#: Bytes that DuckDB shows as the character that they are, when it casts a BLOB to VARCHAR; all others become `\\xHH`.
PLAIN_BYTES = frozenset(range(0x20, 0x7F)) - frozenset(b"\\'\"")

Row = dict[str, Any]


def distinct(names: Iterable[str]) -> list[str]:
    """Names of columns without repetition: as in a table that DuckDB makes, the second `a` is `a_1`."""
    taken: dict[str, None] = {}
    wanted = list(names)
    for name in wanted:
        numbered = (f"{name}_{number}" for number in range(1, len(wanted) + 1))
        free = (text for text in numbered if text not in taken and text not in wanted)
        taken[name if name not in taken else next(free)] = None
    return list(taken)


def blob(data: bytes) -> str:
    """Bytes as DuckDB casts a BLOB to VARCHAR."""
    return "".join(chr(byte) if byte in PLAIN_BYTES else f"\\x{byte:02X}" for byte in data)


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes as text, decimals as numbers, and null for NaN and infinity (ECMA-262, JSON.stringify)."""
    match value:
        case bytes():
            return blob(value)
        case float() if not math.isfinite(value):
            return None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: plain(member) for name, member in value.items()}
        case list() | tuple():
            return [plain(member) for member in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def rows(table: pa.Table) -> Iterator[Row]:
    """The rows of a table as JSON has them, each column under a name of its own."""
    names = distinct(table.column_names)
    for batch in table.to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        yield from (dict(zip(names, map(plain, values), strict=True)) for values in zip(*columns, strict=True))


def write_json(table: pa.Table, out: IO[bytes]) -> None:
    """Write a list of objects."""
    out.write(json.dumps(list(rows(table))).encode() + b"\n")


def write_json_lines(table: pa.Table, out: IO[bytes]) -> None:
    """Write an object a line."""
    out.writelines(json.dumps(row).encode() + b"\n" for row in rows(table))


def write_csv(table: pa.Table, out: IO[bytes]) -> None:
    """Write CSV; lists, structs and bytes are texts, as in JSON. A spreadsheet runs no text, and a terminal obeys none."""
    for number, column in enumerate(table.schema):
        values = table[number]
        if not _has_csv(column.type):
            values = pa.chunked_array([pa.array([_text(value) for value in values.to_pylist()], pa.string())])
        if not is_number(column.type):
            values = _harmless(values)
        table = table.set_column(number, column.name, values)
    pyarrow.csv.write_csv(table.rename_columns([str(csv_cell(name)) for name in table.column_names]), out)


def _harmless(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as `csv_cell` makes them, each distinct one once; other values as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    coded = values.combine_chunks().dictionary_encode()
    texts = pa.array([csv_cell(text) for text in coded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([texts.take(coded.indices)])


def _has_csv(kind: pa.DataType) -> bool:
    """Whether Arrow writes values of a type as CSV."""
    of_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    of_number = is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    return of_string or of_number or (pa.types.is_temporal(kind) and not pa.types.is_interval(kind))


def _text(value: Any) -> str | None:
    """A value as one text; None stays None."""
    return value if value is None or isinstance(value := plain(value), str) else json.dumps(value)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers, which are aligned to the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def write_parquet(table: pa.Table, out: IO[bytes]) -> None:
    """Write a Parquet file. Raises pyarrow.ArrowException for a type that Parquet does not have."""
    pyarrow.parquet.write_table(table.rename_columns(distinct(table.column_names)), out, compression="zstd")


def write_workbook(table: pa.Table, out: IO[bytes]) -> None:
    """Write an Excel workbook."""
    from pipeline.console import workbook

    workbook.write(table, out)


def write_geojson(table: pa.Table, out: IO[bytes]) -> None:
    """Write a GeoJSON of countries."""
    from pipeline.console import geojson

    geojson.write(table, out)


Writer = Callable[[pa.Table, IO[bytes]], None]
#: Format → what writes it; a file's name may end in it instead of naming it.
WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
    "parquet": write_parquet,
    "xlsx": write_workbook,
    "geojson": write_geojson,
}
#: Formats that are no text: they go to a file alone.
BINARY = ("parquet", "xlsx")


def for_people(table: pa.Table, *, on_screen: bool) -> Table:
    """A table to print: numbers to the right, lines kept, on a screen folded; nothing else is cut in a file or pipe."""
    printed = Table()
    for column in table.schema:
        printed.add_column(visible(column.name), justify="right" if is_number(column.type) else "left", overflow="fold")
    longest = LONGEST_CELL if on_screen else None
    columns = [column.to_pylist() for column in table.columns]
    for values in zip(*columns, strict=True):
        printed.add_row(*(_cell(value, longest) for value in values))
    return printed


def _cell(value: Any, longest: int | None) -> str:
    """The text of a value, in lines; what a reader does not see in it is shown as its code."""
    if value is None:
        return ""
    text = blob(value) if isinstance(value, bytes) else str(value)
    cut = f"… ({len(text):,} characters)" if longest and len(text) > longest else ""
    return "\n".join(map(visible, text[:longest].split("\n"))) + cut
