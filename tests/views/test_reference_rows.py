"""Rows of the reference data as SQL."""

from datetime import date

import duckdb

from pipeline.views import reference_rows


def test_values_have_their_types() -> None:
    """A value is cast to the type of its column, and an empty one is null."""
    values = reference_rows.literals({"n": "BIGINT", "day": "DATE"})({"n": "", "day": "2026-12-01"})
    assert duckdb.connect().execute(f"SELECT {', '.join(values)}").fetchall() == [(None, date(2026, 12, 1))]


def test_a_text_is_read_as_it_is() -> None:
    """Quotation marks and line ends of a text are in the value that DuckDB reads."""
    for text in ("", "O'Brien", "''", 'a "b"', "two\nlines"):
        assert duckdb.connect().execute(f"SELECT {reference_rows.quoted(text)}").fetchall() == [(text,)]
