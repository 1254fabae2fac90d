"""Rows as an Excel workbook, read back with the standard library."""

import io
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.console import workbook

VALUES = {
    "=name": ["=1+1", "https://example.org", "a\x1b[31m", None],
    "number": [1, 10**15, -3, None],
    "share": [0.5, float("nan"), float("inf"), None],
    "at": [datetime(2026, 6, 1, 12, tzinfo=UTC)] * 4,
    "sum": [Decimal(12)] * 4,
    "many": [["x"], [], None, ["y", "z"]],
    "yes": [True, False, None, True],
}


def sheet(table: pa.Table) -> tuple[list[dict[str, str]], str]:
    """Each row's cells by their column's letter, and the whole text of the sheet."""
    out = io.BytesIO()
    workbook.write(table, out)
    with zipfile.ZipFile(out) as file:
        text = file.read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r"<row [^>]*?>(.*?)</row>", text, re.DOTALL)
    cell = re.compile(r'<c r="([A-Z]+)\d+"[^>]*?>(?:<is><t[^>]*>(.*?)</t></is>|<v>(.*?)</v>)</c>', re.DOTALL)
    return [{letter: inline or value for letter, inline, value in cell.findall(row)} for row in rows], text


def test_values_are_kept_and_nothing_runs() -> None:
    """Numbers and times are numbers, text is text whatever it begins with, and null, NaN and infinity are empty."""
    (names, *rows), text = sheet(pa.table(VALUES))
    assert list(names.values()) == list(VALUES) and len(rows) == 4
    assert [row.get("A") for row in rows] == ["=1+1", "https://example.org", "a\\x1b[31m", None]
    assert [row.get("B") for row in rows] == ["1", str(10**15), "-3", None]
    assert [row.get("C") for row in rows] == ["0.5", None, None, None]
    assert {row["D"] for row in rows} == {"46174.5"} and {row["E"] for row in rows} == {"12"}
    assert [row.get("F") for row in rows] == ["['x']", "[]", None, "['y', 'z']"]
    assert [row.get("G") for row in rows] == ["1", "0", None, "1"]
    assert "<f>" not in text and "hyperlink" not in text and '<pane ySplit="1"' in text


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a sheet has room for are an error that names what to do, not a cut file."""
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(pa.ArrowInvalid, match="write csv or parquet"):
        workbook.write(pa.table({"a": [1, 2, 3, 4]}), io.BytesIO())
