"""A connection to a lake reads the lake's tables, and nothing else by any statement."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipeline.errors import InputError
from pipeline.views import connect, connection
from tests.publish.history import history, write


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd [x]*") / "lake"
    write(folder, history()[:1])
    (folder / "own.txt").write_text("no table")
    return folder


@pytest.fixture(scope="module")
def con(lake: Path) -> duckdb.DuckDBPyConnection:
    return connection.connect(lake)


ELSEWHERE = (
    "FROM read_text('/etc/hostname')", "FROM read_blob('{lake}/own.txt')", "FROM read_parquet('{lake}/*/*/*.parquet')",
    "FROM glob('/*')", "FROM sniff_csv('/etc/passwd')", "COPY (SELECT 1) TO '{lake}/new.csv'", "ATTACH '{lake}/new.db'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/new.csv'", "INSTALL httpfs", "LOAD httpfs", "EXPORT DATABASE '{lake}/new'",
    "FROM read_text('http://127.0.0.1:9/')", "SET enable_external_access = true", "RESET allowed_paths", "FROM ours",
    "SET allowed_directories = ['/']", "SET lock_configuration = false", "SET profiling_output = '{lake}/new'",
)  # fmt: skip


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_no_statement_goes_elsewhere(con: duckdb.DuckDBPyConnection, lake: Path, statement: str) -> None:
    """No statement reads or writes another file, loads code, uses the network, sees our variables, or unlocks that."""
    ours = pa.table({"a": [1]})
    before = sorted(lake.parent.rglob("*"))
    with pytest.raises(duckdb.Error):
        con.execute(statement.format(lake=lake)).fetchall()
    assert sorted(lake.parent.rglob("*")) == before and len(ours) == 1


def test_the_views_work(con: duckdb.DuckDBPyConnection) -> None:
    """Views and tables of one's own work, and so do rows that do not fit into memory at once."""
    assert con.execute("SELECT count(*) > 0 FROM countries").fetchone() == (True,)
    con.execute("CREATE TABLE mine AS FROM responses").fetchall()
    assert con.execute("SELECT (SELECT count(*) FROM mine) = count(*) FROM responses").fetchone() == (True,)


def test_unsafe_is_open(lake: Path, tmp_path: Path) -> None:
    """`unsafe` leaves everything open."""
    (tmp_path / "own.txt").write_text("no table")
    with connection.connect(lake, unsafe=True) as con:
        read = con.execute("SELECT content FROM read_text(?)", [str(tmp_path / "own.txt")]).fetchone()
    assert read == ("no table",)


def test_a_damaged_table_is_one_error(tmp_path: Path) -> None:
    """A file that is no Parquet is named with one error."""
    write(tmp_path, history()[:1])
    path = tmp_path / "locations" / f"sweep={history()[0].id}" / "part-0.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InputError, match="holds a file that DuckDB cannot read"):
        connection.connect(tmp_path)


def test_a_notebook_connects_by_one_line(lake: Path) -> None:
    """`pipeline.views.connect` takes a folder's name or path; a frame that is registered joins the views, and nothing else is open."""
    for place in (str(lake), lake):
        with connect(place) as con:
            con.register("mine", pa.table({"country": ["GB"], "hospitals": [1148]}))
            joined = con.execute("SELECT hospitals FROM countries JOIN mine USING (country)").fetchall()
            assert joined == [(1148,)]
            with pytest.raises(duckdb.PermissionException):
                con.execute("FROM read_text('/etc/hostname')")
