"""Marts of sealed sweeps, built once."""

import os
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.lake import layout, parts
from pipeline.publish.gather import gather, select
from pipeline.publish.scope import Scope
from pipeline.views import connection, marts, views
from tests.publish.history import history, write

LAST = "20260629T030000Z-weekly"
#: A series of two, another vantage, and a sweep by another method.
SWEEPS = [
    sweep
    for sweep in history()
    if sweep.id in ("20260622T030000Z-weekly", LAST, "20260630T030000Z-second", "20260706T030000Z-weekly")
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marts") / "lake"
    write(folder, SWEEPS)
    return folder


@pytest.fixture
def lake(kept: Path, tmp_path: Path) -> Path:
    """A lake of its own for each test."""
    return Path(shutil.copytree(kept, tmp_path / "lake"))


def everything(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The rows of every mart, as text, and the types of its columns."""
    found = {}
    for name in (*marts.BUILT, *views.SERIES, "changes", "change_totals", "transitions"):
        types = [str(row[:2]) for row in con.execute(f"DESCRIBE {name}").fetchall()]
        found[name] = sorted(types) + sorted(str(dict(sorted(row.items()))) for row in select(con, f"FROM {name}"))
    return found


def test_built_marts_tell_the_same(lake: Path) -> None:
    """All sweeps built, some built, and none built give the same rows and types in every mart and every series."""
    with connection.connect(lake) as con:
        asked = everything(con)
    places = layout.sweeps(lake)
    for chosen in (places[:2], places):
        assert all(marts.build(place) for place in chosen)
        assert set(marts.built(lake)) == set(marts.BUILT)
        with connection.connect(lake) as con:
            assert everything(con) == asked


def test_an_answer_without_a_place_stays(lake: Path) -> None:
    """Answers of which no location is known, the first and the last among them, are counted in no country, built or not."""
    place = layout.find(lake, LAST)
    known = pq.read_table(place.sealed("locations"), partitioning=None)
    for rows in (known.slice(1, len(known) - 2).take(list(range(0, len(known) - 2, 2))), known.slice(0, 0)):
        parts.write(place.sealed("locations"), rows, "locations", place.id)
        with connection.connect(lake) as con:
            asked = everything(con)
        marts.build(place)
        with connection.connect(lake) as con:
            assert everything(con) == asked and place.id in str(marts.built(lake))


def test_a_built_mart_is_what_is_read(lake: Path) -> None:
    """Where a sweep is built its facts are not opened: without them the marts still answer."""
    for place in layout.sweeps(lake):
        marts.build(place)
    with connection.connect(lake) as con:
        sql = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'totals'").fetchall()[0][0]
        shutil.rmtree(lake / "associations")
        services = con.execute("SELECT services FROM totals WHERE sweep = ?", [LAST]).fetchall()
    assert services == [(len(next(s for s in history() if s.id == LAST).seen),)] and "raw_" not in sql


def test_a_table_written_again_undoes_them(lake: Path) -> None:
    """A table that was written after the marts were built makes them old: the facts are asked again, until they are built anew."""
    place = layout.find(lake, LAST)
    marts.build(place)
    first = marts.folder(place)
    os.utime(place.sealed("owners"), ns=(1, 1))
    assert marts.folder(place) != first and marts.built(lake) == {}
    marts.build(place)
    assert [path.name for path in marts.folder(place).parent.iterdir()] == [marts.folder(place).name]


def test_what_is_not_sealed_is_not_built(tmp_path: Path) -> None:
    """A sweep at work has no marts in the lake."""
    (tmp_path / "plans" / "sweep=a").mkdir(parents=True)
    assert not marts.build(layout.SweepPaths(tmp_path, "a")) and not (tmp_path / "marts").exists()


def test_an_edition_over_built_marts(lake: Path) -> None:
    """A country's edition is the same over built marts, and leaves the connection as it was."""
    with connection.connect(lake) as con:
        asked = gather(con, LAST, Scope(country="GB"))
    for place in layout.sweeps(lake):
        marts.build(place)
    with connection.connect(lake) as con:
        before = everything(con)
        assert gather(con, LAST, Scope(country="GB")) == asked
        assert everything(con) == before


def test_the_text_for_the_shell_reads_them(lake: Path) -> None:
    """`census sql --init` gives the same views over built marts."""
    for place in layout.sweeps(lake):
        marts.build(place)
    con = duckdb.connect()
    con.execute(connection.init_sql(lake))
    assert con.execute("SELECT count(*) FROM totals").fetchone() == (len(SWEEPS),)
