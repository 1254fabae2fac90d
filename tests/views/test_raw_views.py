"""Tables of a lake as views of DuckDB."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import schema
from pipeline.errors import InputError
from pipeline.lake import layout, parts, receipts
from pipeline.lake.store import Location
from pipeline.record.receipt import Part, Receipt
from pipeline.views import connection, raw_views
from tests.publish.history import history, write


def test_an_older_programs_table_lacks_columns(tmp_path: Path) -> None:
    """In a sealed table, a missing newer column is read as null, and an unknown column is left out."""
    write(tmp_path, history()[:2])
    path = layout.SweepPaths(tmp_path, history()[0].id).sealed("locations")
    table = pq.read_table(path, partitioning=None).drop_columns(["country_second", "second_source"])
    pq.write_table(table.append_column("odd", pa.nulls(len(table), pa.string())), path)
    with connection.connect(tmp_path) as con:
        rows = con.execute(
            "SELECT bool_and(country_second IS NULL), count(*) > 0 FROM locations WHERE sweep = ?", [history()[0].id]
        ).fetchall()
        names = [row[0] for row in con.execute("DESCRIBE locations").fetchall()]
        assert con.execute("SELECT count(country_second) > 0 FROM locations").fetchone() == (True,)
    assert rows == [(True, True)] and "odd" not in names


def test_the_sweep_is_that_of_the_folder(history_con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Each row has the sweep of its folder, as text; a lake whose own path contains a folder of a sweep is refused."""
    found = history_con.execute("SELECT DISTINCT sweep FROM responses ORDER BY 1").fetchall()
    assert found == [(sweep.id,) for sweep in sorted(history(), key=lambda sweep: sweep.id)]
    with pytest.raises(InputError, match="is inside a folder"):
        raw_views.statements(tmp_path / "sweep=other" / "lake")


def test_a_lakes_own_path_changes_no_row(tmp_path: Path) -> None:
    """Folders above a lake are neither partitions nor patterns: `country=ZZ`, brackets, stars and quotes are names."""
    odd = tmp_path / "country=ZZ" / "l[a]ke*? 'x\" ü"
    plain, sibling = tmp_path / "plain", tmp_path / "country=ZZ" / "lake 'x\" ü"
    write(odd, history()[:2])
    write(sibling, history()[2:3])
    write(plain, history()[:2])
    queries = ("SELECT sweep, country, count(*) FROM locations GROUP BY ALL ORDER BY ALL", "FROM totals ORDER BY sweep")
    results = []
    for lake in (odd, plain):
        with connection.connect(lake) as con:
            results.append([con.execute(query).fetchall() for query in queries])
    assert results[0] == results[1]
    assert {sweep for sweep, *_ in results[0][0]} == {sweep.id for sweep in history()[:2]}


def test_a_query_about_one_sweep_opens_its_files_alone(history_con: duckdb.DuckDBPyConnection) -> None:
    """A condition on `sweep` leaves out the files of other sweeps before they are opened."""
    query = "EXPLAIN ANALYZE SELECT count(*) FROM raw_responses WHERE sweep = ?"
    ((_, explained),) = history_con.execute(query, [history()[0].id]).fetchall()
    assert "Total Files Read: 1 " in explained


def test_parts_at_work_are_read(lake: Location) -> None:
    """Before the seal, a sweep's rows are the parts that receipts name; a table without parts is empty and has its columns."""
    paths = layout.SweepPaths(lake, "20261124T000000Z-n")
    row = {
        "ip": 1,
        "port": 104,
        "answered_at": 0,
        "ttl": 1,
        "window": 1,
        "outcome": "silent",
        "close_kind": "",
        "close_stage": "",
    }
    rows = pa.Table.from_batches([parts.from_rows([row], "responses")])
    for number in (1, 2):
        parts.write(paths.part("responses", f"000-000000.{number}.parquet"), rows, "responses", paths.id)
    named = (Part("responses", "000-000000.2.parquet", 1, ""),)
    receipts.put_receipt(paths, "000-000000", Receipt(parts=named))
    con = duckdb.connect()
    for statement in raw_views.of_sweeps([paths]):
        con.execute(statement)
    assert con.execute("SELECT sweep, ip, outcome FROM raw_responses").fetchall() == [(paths.id, 1, "silent")]
    described = [name for name, *_ in con.execute("DESCRIBE raw_tls").fetchall()]
    assert sorted(described) == sorted([*(column.name for column in schema.table("tls").columns), "sweep"])
