"""Rows of the reference data as SQL."""

import duckdb

from pipeline.views import reference_rows


def test_a_text_is_read_as_it_is() -> None:
    """Quotation marks and line ends of a text are in the value that DuckDB reads."""
    for text in ("", "O'Brien", "''", 'a "b"', "two\nlines"):
        assert duckdb.connect().execute(f"SELECT {reference_rows.quoted(text)}").fetchall() == [(text,)]
