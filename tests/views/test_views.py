"""The SQL of `analysis/` as views."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.views import views
from tests.analysis import lake

FILES = sorted(path for path in views.FOLDER.rglob("*.sql"))
REPORTS = sorted((views.FOLDER / "reports").glob("*.sql"))
#: Marts that a report reads directly; `vantages` has its own query.
ORDERED = sorted({*views.PUBLISHED, *views.NAMED, *views.SERIES} - {"vantages"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_has_its_header(path: Path) -> None:
    """Each file begins with its question, grain and notes, a published mart with its order too, and has at most 75 lines."""
    lines = path.read_text("utf-8").splitlines()
    order = ["-- Order"] if path.parent.name == "marts" and path.stem in ORDERED else []
    keys = ["-- Question", "-- Grain", *order, "-- Notes"]
    assert [line.split(":")[0] for line in lines[: len(keys)]] == keys
    assert len(lines) <= 75


def test_views_come_after_what_they_read() -> None:
    """Views install in the given order, and each table of the contract has a staging view with its name."""
    names = [query.name for query in views.definitions()]
    assert names.index("associations") < names.index("exposed_2026_11") < names.index("countries")
    assert {table.name for table in schema.tables()} <= set(names)


def test_views_keep_every_column_of_the_contract() -> None:
    """A staging view has all columns of its table and the sweep."""
    con = lake.connect()
    for table in schema.tables():
        columns = {row[0] for row in lake.rows(con, f"DESCRIBE {table.name}")}
        assert {column.name for column in table.columns} | {"sweep"} <= columns


def test_the_header_is_the_views_comment() -> None:
    """The comment of a view in the catalogue has the question of its file."""
    ((comment,),) = lake.rows(lake.connect(), "SELECT comment FROM duckdb_views() WHERE view_name = 'outcomes'")
    assert comment.startswith("Question: What happened") and "\nGrain: " in comment


def test_every_column_is_explained() -> None:
    """Each column of each view has an explanation, and each explanation belongs to a column."""
    con = lake.connect()
    found = lake.rows(
        con,
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal AND table_name NOT LIKE 'raw%'",
    )
    assert not [(view, column) for view, column, comment in found if not (comment or "").endswith((".", ">"))], (
        "a column"
    )
    assert not views._meanings().keys() - {column for _, column, _ in found}


def test_every_macro_is_explained() -> None:
    """Each macro has its question as its comment in the catalogue."""
    found = lake.rows(lake.connect(), "SELECT function_name, comment FROM duckdb_functions() WHERE NOT internal")
    assert {name for name, _ in found} >= {
        "latest",
        "series",
        "accepts",
        "wilson_low",
        *(m.name for m in views.macro_files()),
    }
    assert not [name for name, comment in found if not (comment or "").startswith("Question: ")]


def test_questions_come_after_what_they_ask() -> None:
    """A macro that asks others is made after them."""
    every = [text.partition("(")[0].split()[-1] for text in views.questions() if text.startswith("CREATE")]
    assert every.index("change_by_network") < every.index("change_since") and every.index("latest") < every.index(
        "series"
    )


def test_an_address_is_text_too() -> None:
    """Each view with an address as an integer has its dotted text as `address`."""
    con = lake.connect()
    for query in views.definitions():
        columns = {row[0] for row in lake.rows(con, f"DESCRIBE {query.name}")}
        assert "ip" not in columns or "address" in columns, query.name


def test_a_service_accepts_and_counts_are_accepting() -> None:
    """One word says that an unknown client is accepted: `accepts` of a service, and `accepting` where services are counted."""
    con = lake.connect()
    for query in views.definitions():
        described = {row[0]: row[1] for row in lake.rows(con, f"DESCRIBE {query.name}")}
        assert described.get("accepts", "BOOLEAN") == "BOOLEAN" and described.get("accepting", "BIGINT") == "BIGINT"
        assert "anyone" not in described or "accepting" in described, query.name
    assert "accepts" in {row[0] for row in lake.rows(con, "DESCRIBE associations")}


def test_init_sql_makes_the_same_views() -> None:
    """The SQL for `duckdb -init` runs unchanged and makes every view."""
    con = duckdb.connect(config=lake.OFFLINE)
    for table in schema.tables():
        columns = [pa.field("sweep", pa.string()), *table.arrow]
        con.register(f"raw_{table.name}", pa.schema(columns).empty_table())
    con.execute(views.init_sql()).fetchall()
    filled = {q.name for q in views.definitions() if con.execute(f"SELECT * FROM {q.name} LIMIT 1").fetchall()}
    assert filled == {"country_names", "published_counts", "releases"}


def test_published_marts_hold_no_address() -> None:
    """A published mart has no column for an address, a host or a network's holder."""
    con = lake.connect()
    for name in (*views.PUBLISHED, *views.SERIES):
        columns = {row[0] for row in lake.rows(con, f"DESCRIBE {name}")}
        assert not columns & {"ip", "address", "asn", "organisation", "raw", "vantages"}


def test_what_names_networks_holds_no_address() -> None:
    """A mart whose rows are published with names has no column for an address or a host."""
    con = lake.connect()
    for name in views.NAMED:
        columns = {row[0] for row in lake.rows(con, f"DESCRIBE {name}")}
        assert not columns & {"ip", "address", "raw", "vantages"}


def test_a_comment_with_an_apostrophe_is_quoted() -> None:
    """Apostrophes are doubled, so that a header cannot end its string."""
    assert views.quoted("a sweep's") == "'a sweep''s'"


@pytest.mark.parametrize("name", [*ORDERED, *(path.stem for path in REPORTS)])
def test_a_query_of_a_report_is_about_a_named_sweep(name: str) -> None:
    """Each query of a report runs, and takes a sweep as its parameter."""
    report = views.report(name)
    given = {parameter: lake.SWEEP for parameter in ("sweep", "before") if f"${parameter}" in report.sql}
    assert "sweep" in given
    lake.connect().execute(report.sql, given).fetchall()


def test_a_question_is_written_once() -> None:
    """No two files have the same question, and a report that reads a mart has the question of the mart."""
    questions = [
        views.parse(path.stem, path.read_text("utf-8")).question for path in FILES if path.stem[:6] != "wilson"
    ]
    assert len(set(questions)) == len(questions) and "" not in questions
    assert views.report("countries").question == views.view("countries").question
