"""The macros over outcomes."""

import re
from collections.abc import Callable
from functools import cache

import duckdb
import pytest

from pipeline.outcome import ACCEPTS_ASSOCIATION, ACCEPTS_DATA, SPEAKS_DICOM, Outcome
from pipeline.views import views
from tests.analysis import lake

SETS = {
    "speaks_dicom": SPEAKS_DICOM,
    "accepts": ACCEPTS_ASSOCIATION,
    "accepts_data": ACCEPTS_DATA,
    "is_outcome": frozenset(Outcome),
}


everywhere = cache(lake.connect)


@cache
def shell() -> duckdb.DuckDBPyConnection:
    """A plain DuckDB that has run the output of `census sql --init` after the raw tables."""
    con = duckdb.connect(config=lake.OFFLINE)
    con.execute("".join(f"CREATE VIEW raw_{name} AS {sql};" for name, sql in lake.no_rows())).fetchall()
    con.execute(views.init_sql()).fetchall()
    return con


@pytest.mark.parametrize("macro", SETS)
@pytest.mark.parametrize("connect", [everywhere, shell], ids=["connect", "shell"])
def test_a_macro_is_true_of_its_set(connect: Callable[[], duckdb.DuckDBPyConnection], macro: str) -> None:
    """In every view and in the shell, a macro is true of exactly the outcomes that the program defines, and null of null."""
    con = connect()
    for outcome in [*Outcome, "other"]:
        assert lake.rows(con, f"SELECT {macro}('{outcome}')") == [(outcome in SETS[macro],)]
    assert lake.rows(con, f"SELECT {macro}(NULL)") == [(None,)]


def test_no_file_lists_outcomes() -> None:
    """No SQL file lists several outcomes; the macros list them."""
    names = "|".join(outcome.value for outcome in Outcome)
    several = re.compile(rf"'(?:{names})',\s*'(?:{names})'")
    assert not [path.name for path in views.FOLDER.rglob("*.sql") if several.search(path.read_text("utf-8"))]
