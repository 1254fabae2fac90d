"""Tables of every earlier version are read with today's columns."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.errors import CensusError
from pipeline.lake import companion_targets, harm_targets, parts, read, schema_versions
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
    """The last form of a table equals its schema: a new column needs a higher version and a new form."""
    form, table = NEWEST[name], schema.table(name)
    assert form.version == table.version
    assert {field.name: field for field in form.arrow} == {field.name: field for field in table.arrow}


def test_versions_count_up() -> None:
    """A form has the version of the form before it, or the next version; no column is ever removed."""
    for one, other in pairwise(FORMS):
        if one.table == other.table:
            assert other.version - one.version in (0, 1)
            assert one.columns.keys() <= other.columns.keys()


@pytest.mark.parametrize("form", EARLIER, ids=[form.id for form in EARLIER])
def test_an_earlier_form_is_read_as_today(tmp_path: Path, con: duckdb.DuckDBPyConnection, form: Form) -> None:
    """SQL and the program give today's columns and types: stored values are kept, missing ones have the value that held then."""
    paths = _written(tmp_path, form)
    table = schema.table(form.table)
    told, nothing = (con.execute(raw_views.rows_of(table, sweeps)).to_arrow_table() for sweeps in ([paths], []))
    table_read = read.rows(paths, form.table)
    assert told.schema == nothing.schema
    assert table_read.schema.names == table.arrow.names and table_read.schema.types == table.arrow.types
    for column in table.columns:
        expected = [_expected(form, column)] * ROWS
        assert table_read[column.name].to_pylist() == expected
        assert told[column.name].to_pylist() == expected


def test_all_forms_in_one_lake(tmp_path: Path) -> None:
    """`census sql` over a lake with every form makes every view, and each table has the rows of all its forms."""
    for form in FORMS:
        _written(tmp_path, form)
    with connection.connect(tmp_path) as con:
        for table in schema.tables():
            of_table = [form for form in FORMS if form.table == table.name]
            assert len(con.execute(f"FROM raw_{table.name}").fetchall()) == ROWS * len(of_table)


def test_receipts() -> None:
    """A receipt has today's keys: a missing count is 0 if nothing was there to count, and null if the count is unknown."""
    receipt = schema_versions.receipt({"shard": 3, "spared": 4})
    assert receipt["shard"] == 3 and receipt["spared"] == 4
    assert receipt["round"] == 1 and receipt["held_back"] == 0 and receipt["paused_seconds"] == 0
    assert receipt["ring_corrupt"] is None and receipt["register_digest"] is None


def _written(lake: Path, form: Form) -> SweepPaths:
    """A sweep with one sealed table."""
    paths = SweepPaths(lake, f"20261124T000000Z-{form.id.replace('_', '-')}")
    paths.plan.parent.mkdir(parents=True)
    paths.plan.touch()
    form.write(paths, [{}] * ROWS)
    return paths


def _expected(form: Form, column: schema.Column) -> Any:
    """The value of one of today's columns in a row of a form."""
    if column.name not in form.columns:
        return column.before
    return _grown(old.some(form.arrow.field(column.name).type), column.field.type)


def _grown(value: Any, kind: pa.DataType) -> Any:
    """A value whose structs have all members of a type; members added later are null."""
    if pa.types.is_list(kind):
        return [_grown(each, kind.value_type) for each in value]
    if pa.types.is_struct(kind):
        return {
            member.name: _grown(value[member.name], member.type) if member.name in value else None for member in kind
        }
    return value


def test_a_damaged_table_is_one_error(tmp_path: Path) -> None:
    """A file that is no Parquet, or one that was cut off, is one error that names it, in every step that reads parts."""
    path = tmp_path / "part-0.parquet"
    parts.write(
        path, parts.tidy([schema.table("associations").arrow.empty_table()], "associations"), "associations", "sweep"
    )
    whole = path.read_bytes()
    for damaged in (b"", b"text", whole[:-1]):
        path.write_bytes(damaged)
        for reading in (
            lambda: schema_versions.read(path, "associations"),
            lambda: schema_versions.as_written(path, "associations"),
            lambda: list(parts.merged([path], "associations")),
            lambda: companion_targets._read([path]),
            lambda: harm_targets._read([path], "associations", ["ip"]),
        ):
            with pytest.raises(
                CensusError, match=rf"{tmp_path}.*: the table is damaged, or is not a table `associations`"
            ):
                reading()
