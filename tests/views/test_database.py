"""The DuckDB file of a lake."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.bucket import ObjectPath
from pipeline.views import connection, database, views
from tests.publish.history import history, write

SWEEPS = history()[:3]


def rows(lake: Path, sql: str) -> list[tuple[object, ...]]:
    """What DuckDB alone says, with the lake as the folder in which it looks for files."""
    with duckdb.connect(str(lake / database.NAME), read_only=True, config={"file_search_path": str(lake)}) as con:
        return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database") / "it's a lake"
    write(folder, SWEEPS[:2])
    database.write(folder)
    return folder


def test_it_says_what_the_lake_says(lake: Path) -> None:
    """Every view is in it, with its comment, and has the rows that `census sql` has."""
    commented = rows(lake, "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NOT NULL")
    assert {name for (name,) in commented} == {query.name for query in views.definitions()}
    with connection.connect(lake) as con:
        for sql in ("FROM totals ORDER BY ALL", "FROM countries ORDER BY ALL", "FROM series('weekly')", "FROM banners"):
            assert rows(lake, sql) == con.execute(sql).fetchall(), sql


def test_it_survives_a_move_and_sees_new_sweeps(lake: Path, tmp_path: Path) -> None:
    """The file of a lake that was moved works there, in the lake's folder without a setting, and has sweeps that came later."""
    moved = Path(shutil.copytree(lake, tmp_path / "moved"))
    write(moved, SWEEPS[2:3])
    assert rows(moved, "SELECT count(*) FROM sweeps") == [(3,)] and rows(lake, "SELECT count(*) FROM sweeps") == [(2,)]
    before = Path.cwd()
    os.chdir(moved)
    try:
        with duckdb.connect(database.NAME, read_only=True) as con:
            assert con.execute("SELECT latest()").fetchall() == [(SWEEPS[2].id,)]
    finally:
        os.chdir(before)


def test_it_is_replaced_whole(lake: Path) -> None:
    """Writing it again replaces the file while somebody reads the old one, and leaves nothing else behind."""
    with duckdb.connect(str(lake / database.NAME), read_only=True) as con:
        database.write(lake)
        assert con.execute("SELECT count(*) FROM country_names").fetchone() == (250,)
    assert [path.name for path in lake.glob("*census.duckdb*")] == [database.NAME]


def test_what_has_no_file(tmp_path: Path) -> None:
    """A lake in a bucket, and one without a sealed sweep, are refused with one error; nothing is written."""
    with pytest.raises(InputError, match="is in a bucket"):
        database.write(ObjectPath.parse("s3://bucket/lake"))
    plan = layout.SweepPaths(tmp_path, "a").plan
    plan.parent.mkdir(parents=True)
    plan.touch()
    assert layout.sweeps(tmp_path)
    with pytest.raises(InputError, match="has no sealed sweep"):
        database.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["plans"]
