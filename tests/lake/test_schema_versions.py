"""Tables of every earlier version are read with the columns of today."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.lake import read, schema_versions
from pipeline.lake.layout import SweepPaths
from pipeline.views import connection, raw_views
from tests.lake import old
from tests.lake.old import Form

FORMS = old.forms()
NEWEST = {form.table: form for form in FORMS}
EARLIER = [form for form in FORMS if form != NEWEST[form.table]]
ROWS = 2


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with raw_views.open_database() as opened:
        yield opened


@pytest.mark.parametrize("name", [table.name for table in schema.tables()])
def test_the_last_form_is_today(name: str) -> None:
    """A table is what its last form says: whoever adds a column raises the version and notes the form."""
    form, table = NEWEST[name], schema.table(name)
    assert form.version == table.version
    assert {field.name: field for field in form.arrow} == {field.name: field for field in table.arrow}


def test_versions_count_up() -> None:
    """A form has the version of the one before it, or the next; a column never goes away."""
    for one, other in pairwise(FORMS):
        if one.table == other.table:
            assert other.version - one.version in (0, 1)
            assert one.columns.keys() <= other.columns.keys()


@pytest.mark.parametrize("form", EARLIER, ids=[form.id for form in EARLIER])
def test_an_earlier_form_is_read_as_today(tmp_path: Path, con: duckdb.DuckDBPyConnection, form: Form) -> None:
    """SQL and program alike give the columns and types of today: what the file has stays, what it lacks is what held then."""
    place = _written(tmp_path, form)
    table = schema.table(form.table)
    told, nothing = (con.execute(raw_views.rows_of(table, places)).to_arrow_table() for places in ([place], []))
    table_read = read.rows(place, form.table)
    assert told.schema == nothing.schema
    assert table_read.schema.names == table.arrow.names and table_read.schema.types == table.arrow.types
    for column in table.columns:
        expected = [_expected(form, column)] * ROWS
        assert table_read[column.name].to_pylist() == expected
        assert told[column.name].to_pylist() == expected


def test_all_forms_in_one_lake(tmp_path: Path) -> None:
    """`census sql` over a lake with a sweep of every form makes every view of it, and each table has all of their rows."""
    for form in FORMS:
        _written(tmp_path, form)
    with connection.connect(tmp_path) as con:
        for table in schema.tables():
            of_table = [form for form in FORMS if form.table == table.name]
            assert len(con.execute(f"FROM raw_{table.name}").fetchall()) == ROWS * len(of_table)


def test_receipts() -> None:
    """A receipt has the keys of today: what was not counted yet is 0 where nothing of it was done, null where nobody knows."""
    receipt = schema_versions.receipt({"shard": 3, "spared": 4})
    assert receipt["shard"] == 3 and receipt["spared"] == 4
    assert receipt["round"] == 1 and receipt["held_back"] == 0 and receipt["paused_seconds"] == 0
    assert receipt["ring_corrupt"] is None and receipt["register_digest"] is None


def _written(lake: Path, form: Form) -> SweepPaths:
    """A sweep of which one table is sealed."""
    place = SweepPaths(lake, f"20261124T000000Z-{form.id.replace('_', '-')}")
    (lake / "plans" / f"sweep={place.id}").mkdir(parents=True)
    form.write(place, [{}] * ROWS)
    return place


def _expected(form: Form, column: schema.Column) -> Any:
    """What a column of today is in a row of a form."""
    if column.name not in form.columns:
        return column.before
    return _grown(old.some(form.arrow.field(column.name).type), column.field.type)


def _grown(value: Any, kind: pa.DataType) -> Any:
    """A value whose structs have the members of a type; those that came later are null."""
    if pa.types.is_list(kind):
        return [_grown(each, kind.value_type) for each in value]
    if pa.types.is_struct(kind):
        return {
            member.name: _grown(value[member.name], member.type) if member.name in value else None for member in kind
        }
    return value
