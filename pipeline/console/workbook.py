"""The rows of a query as an Excel workbook of one sheet."""

from datetime import UTC, datetime
from typing import IO, Any

import pyarrow as pa
import xlsxwriter

from pipeline.console.result_formats import distinct, is_number, plain
from pipeline.untrusted.visible import visible

#: What a sheet of Excel has room for, besides the line of names.
MOST_ROWS = 1_048_575
#: What a cell has room for, in characters.
LONGEST_TEXT = 32_767
#: The greatest whole number of which Excel keeps every digit has 15 of them.
GREATEST_WHOLE = 10**15 - 1
#: Text is text: nothing that a peer chose becomes a formula or a link.
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
    "constant_memory": True,
}


def write(table: pa.Table, out: IO[bytes]) -> None:
    """Write a sheet with the names of columns on top, which stay in sight. Times are UTC. Raises pa.ArrowInvalid for too many rows."""
    if len(table) > MOST_ROWS:
        raise pa.ArrowInvalid(
            f"a sheet of Excel has {MOST_ROWS:,} rows, and these are {len(table):,}; write csv or parquet"
        )
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        sheet, bold = book.add_worksheet("census"), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        names = distinct(table.column_names)
        for number, (name, field) in enumerate(zip(names, table.schema, strict=True)):
            sheet.set_column(number, number, max(len(name) + 2, 12 if is_number(field.type) else 18))
        sheet.write_row(0, 0, [visible(name) for name in names], bold)
        position = 0
        for batch in table.to_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                position += 1
                sheet.write_row(position, 0, list(map(_cell, values)))


def _cell(value: Any) -> Any:
    """A value as Excel has it: numbers, truths and times, all else as visible text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    value = plain(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= GREATEST_WHOLE:
        return value
    return visible(value if isinstance(value, str) else str(value))[:LONGEST_TEXT]
