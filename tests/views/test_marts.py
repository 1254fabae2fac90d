"""Marts of sealed sweeps, built once."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.lake import layout, parts
from pipeline.publish.gather import gather, select
from pipeline.publish.scope import Scope
from pipeline.views import connection, linked_marts, marts, views
from tests.publish.history import history, write

LAST = "20260629T030000Z-weekly"
#: Two sweeps of a series, one of another vantage, and one by another method.
SWEEPS = [
    sweep
    for sweep in history()
    if sweep.id in ("20260622T030000Z-weekly", LAST, "20260629T033000Z-second", "20260706T030000Z-weekly")
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marts") / "lake"
    write(folder, SWEEPS)
    return folder


@pytest.fixture(scope="module")
def kept_built(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same lake with all marts built."""
    folder = tmp_path_factory.mktemp("built") / "lake"
    shutil.copytree(kept, folder)
    assert all(marts.build(paths) for paths in layout.sweeps(folder))
    return folder


@pytest.fixture
def lake(kept: Path, tmp_path: Path) -> Path:
    """A copy of the lake for each test."""
    return Path(shutil.copytree(kept, tmp_path / "lake"))


@pytest.fixture
def built(kept_built: Path, tmp_path: Path) -> Path:
    """A copy of the lake with all marts built, in which they are what its tables give: times are copied."""
    copied = Path(shutil.copytree(kept_built, tmp_path / "built"))
    assert all(marts.complete(paths) for paths in layout.sweeps(copied))
    return copied


#: Every mart, and those that follow no system from sweep to sweep.
EVERY = tuple(
    dict.fromkeys((*marts.BUILT, *linked_marts.LINKED, *views.SERIES, "changes", "change_totals", "transitions"))
)
UNLINKED = tuple(name for name in EVERY if views.needed([name]).isdisjoint(linked_marts.OF_SYSTEMS))


def everything(con: duckdb.DuckDBPyConnection, names: Iterable[str] = EVERY) -> dict[str, list[str]]:
    """The rows of every mart, as text, and the types of its columns."""
    found = {}
    for name in names:
        rows = sorted(str(dict(sorted(row.items()))) for row in select(con, f"FROM {name}"))
        found[name] = sorted(f"{column} {kind}" for column, kind, *_ in con.description or ()) + rows
    return found


def test_built_marts_tell_the_same(lake: Path) -> None:
    """Every mart and every series has the same rows and types, whether all sweeps, some or none are built."""
    with connection.connect(lake) as con:
        asked = everything(con)
    sweeps = layout.sweeps(lake)
    for chosen in (sweeps[:2], sweeps[2:]):
        assert all(marts.build(paths) for paths in chosen)
        assert set(marts.built(lake)) == set(marts.BUILT)
        with connection.connect(lake) as con:
            assert everything(con) == asked


def test_an_answer_without_a_place_stays(built: Path) -> None:
    """Answers without a known location, the first and the last included, are counted in no country, built or not.

    Only their own sweep is not built: its locations are written again. What follows systems is made of these marts.
    """
    lake, paths = built, layout.find(built, LAST)
    known = pq.read_table(paths.sealed("locations"), partitioning=None)
    for rows in (known.slice(1, len(known) - 2).take(list(range(0, len(known) - 2, 2))), known.slice(0, 0)):
        parts.write(paths.sealed("locations"), rows, "locations", paths.id)
        assert not marts.complete(paths)
        with connection.connect(lake) as con:
            asked = everything(con, UNLINKED)
        assert marts.build(paths) and marts.complete(paths)
        with connection.connect(lake) as con:
            assert everything(con, UNLINKED) == asked


def test_built_marts_have_the_columns_in_order(lake: Path, built: Path) -> None:
    """A mart has the same columns in the same order, built or not, so that its CSV file does."""

    def columns(folder: Path) -> dict[str, list[str]]:
        with connection.connect(folder) as con:
            return {name: [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()] for name in marts.BUILT}

    assert columns(built) == columns(lake)


def test_a_built_mart_is_what_is_read(built: Path) -> None:
    """The facts of a built sweep are not opened: the marts answer without them."""
    with connection.connect(built) as con:
        sql = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'totals'").fetchall()[0][0]
        shutil.rmtree(built / "associations")
        services = con.execute("SELECT services FROM totals WHERE sweep = ?", [LAST]).fetchall()
    assert services == [(len(next(s for s in history() if s.id == LAST).seen),)] and "raw_" not in sql


def test_a_table_written_again_undoes_them(lake: Path) -> None:
    """A table written after the marts were built makes them outdated: queries read the facts until the marts are built again."""
    paths = layout.find(lake, LAST)
    marts.build(paths)
    first = marts.folder(paths)
    os.utime(paths.sealed("owners"), ns=(1, 1))
    assert marts.folder(paths) != first and marts.built(lake) == {}
    marts.build(paths)
    assert [path.name for path in marts.folder(paths).parent.iterdir()] == [marts.folder(paths).name]


def test_what_is_not_sealed_is_not_built(tmp_path: Path) -> None:
    """A sweep that is not sealed has no marts in the lake."""
    (tmp_path / "plans" / "sweep=a").mkdir(parents=True)
    assert not marts.build(layout.SweepPaths(tmp_path, "a")) and not (tmp_path / "marts").exists()


def test_an_edition_over_built_marts(lake: Path, built: Path) -> None:
    """A country's edition is the same over built marts, and leaves the connection unchanged."""
    with connection.connect(lake) as con:
        asked = gather(con, LAST, Scope(country="GB"))
    found = "SELECT view_name, sql, comment FROM duckdb_views() ORDER BY ALL"
    with connection.connect(built) as con:
        before = con.execute(found).fetchall()
        assert gather(con, LAST, Scope(country="GB")) == asked
        assert con.execute(found).fetchall() == before


def test_the_text_for_the_shell_reads_them(built: Path) -> None:
    """`census sql --init` gives the same views over built marts."""
    con = duckdb.connect()
    con.execute(connection.init_sql(built))
    assert con.execute("SELECT count(*) FROM totals").fetchone() == (len(SWEEPS),)
