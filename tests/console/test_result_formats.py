"""The rows of queries of a real DuckDB, in each format."""

import csv
import io
import json

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from rich.console import Console

from pipeline.console import result_formats

VALUES = r"""
SELECT 1 AS a, 2 AS a, 'x\xff"'::BLOB AS b, 'nan'::DOUBLE AS n, ['inf'::DOUBLE, 1.5] AS l, 3::HUGEINT AS h, 1.25::DECIMAL(5, 2) AS d,
    {'k': '\x00'::BLOB} AS s, TIMESTAMPTZ '2026-06-01 03:00:00Z' AS t, NULL AS o, true AS y
"""
AS_JSON = {
    "a": 1, "a_1": 2, "b": "x\\xFF\\x22", "n": None, "l": [None, 1.5], "h": 3, "d": 1.25, "s": {"k": "\\x00"},
    "t": "2026-06-01 03:00:00+00:00", "o": None, "y": True,
}  # fmt: skip


def table(sql: str) -> pa.Table:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'").fetchall()
        return con.sql(sql).to_arrow_table()


def written(form: str, sql: str) -> bytes:
    out = io.BytesIO()
    result_formats.WRITERS[form](table(sql), out)
    return out.getvalue()


def printed(sql: str, *, width: int = 1000, on_screen: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False)
    console.print(result_formats.for_people(table(sql), on_screen=on_screen))
    return console.file.getvalue()


def test_json_has_every_column_and_only_json() -> None:
    """Two columns of one name have two keys, bytes are text, decimals numbers, and NaN and infinity null."""
    text = written("json", VALUES).decode()
    assert json.loads(text, parse_constant=pytest.fail) == [AS_JSON]
    assert text.endswith("\n")


def test_json_lines() -> None:
    """JSON lines are the same objects, one a line."""
    lines = written("jsonl", f"{VALUES} UNION ALL {VALUES}").decode().splitlines()
    assert [json.loads(line) for line in lines] == [AS_JSON] * 2


def test_csv_has_every_column() -> None:
    """CSV keeps both columns of one name; bytes, lists and structs are texts."""
    names, values = csv.reader(io.StringIO(written("csv", VALUES).decode()))
    assert names == ["a", "a", "b", "n", "l", "h", "d", "s", "t", "o", "y"]
    assert values[:3] == ["1", "2", "x\\xFF\\x22"] and json.loads(values[4]) == [None, 1.5]
    assert json.loads(values[7]) == {"k": "\\x00"}


def test_parquet_reads_back() -> None:
    """Parquet keeps types and bytes, each column under a name of its own."""
    read = pyarrow.parquet.read_table(io.BytesIO(written("parquet", VALUES)))
    assert read.column_names == list(AS_JSON)
    assert read["b"].to_pylist() == [b'x\xff"'] and pa.types.is_struct(read["s"].type)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a", "a", "a"], ["a", "a_1", "a_2"]), (["a", "a", "a_1"], ["a", "a_2", "a_1"]), (["a", "b"], ["a", "b"])],
)
def test_distinct_names(names: list[str], expected: list[str]) -> None:
    """A repeated name gets the first number that no other column has; all others stay."""
    assert result_formats.distinct(names) == expected


def test_bytes_are_as_duckdb_shows_them() -> None:
    """Every byte has the text that DuckDB gives it when it casts a BLOB to VARCHAR."""
    data = bytes(range(256))
    with duckdb.connect() as con:
        assert con.execute("SELECT $1::BLOB::VARCHAR", [data]).fetchall() == [(result_formats.blob(data),)]


def test_numbers_are_to_the_right() -> None:
    """Numbers end where their column ends, texts begin where theirs begins."""
    lines = printed("FROM (VALUES (1, 'a'), (1000, 'bcd')) AS t(number, text)").splitlines()
    assert "│      1 │ a    │" in lines and "│   1000 │ bcd  │" in lines


def test_a_pipe_gets_the_whole_text() -> None:
    """Outside of a screen no text is cut; on a screen a long one is folded, and a very long one says how long it is."""
    assert "x" * 5000 in printed("SELECT repeat('x', 5000) AS text", width=1_000_000)
    folded = printed("SELECT repeat('y', 200) AS text", width=80, on_screen=True)
    assert folded.count("y") == 200 and "…" not in folded
    assert "(5,000 characters)" in printed("SELECT repeat('x', 5000) AS text", on_screen=True)


def test_lines_are_kept_and_controls_shown() -> None:
    """The lines of a comment are lines of its cell; a character that would not be seen is its code."""
    text = printed("SELECT 'Question: one' || chr(10) || 'Grain: two' || chr(27) || '[31m' AS comment, 'b' AS other")
    assert "│ Question: one      │ b     │" in text and "Grain: two\\x1b[31m" in text


def test_csv_is_harmless_for_spreadsheets_and_terminals() -> None:
    """What a peer chose is text in CSV: no formula, no escape, no mark that turns what is read; numbers stay numbers."""
    hostile = ["=cmd|' /C calc'!A0", "+1", "@x", "\t=1", "\x1b[31m", "a\u202eb", "a\x00b", None, "plain", "plain"]
    table = pa.table({"=name": hostile, "number": [-1] * len(hostile), "many": [["=1"]] * len(hostile)})
    out = io.BytesIO()
    result_formats.write_csv(table, out)
    rows = list(csv.reader(io.StringIO(out.getvalue().decode())))
    assert rows[0] == ["'=name", "number", "many"]
    assert [row[0] for row in rows[1:]] == [
        "'=cmd|' /C calc'!A0", "'+1", "'@x", "\\x09=1", "\\x1b[31m", "a\\u202eb", "a\\x00b", "", "plain", "plain",
    ]  # fmt: skip
    assert {tuple(row[1:]) for row in rows[1:]} == {("-1", '["=1"]')}
