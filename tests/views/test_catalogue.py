"""The views of a connection, copied from a file that is made once."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from pipeline import schema
from pipeline.views import catalogue, raw_views, views

#: What the catalogue of a connection says of views and macros. Their SQL is the same, but DuckDB prints it otherwise once it was kept.
SAID = (
    "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
    "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
    "SELECT function_name, parameters, comment FROM duckdb_functions() WHERE NOT internal ORDER BY ALL",
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        assert catalogue.file().parent == folder / "dicom-census" / "views"
    return folder


@pytest.fixture(autouse=True)
def folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files, in a copy of that one."""
    shutil.copytree(kept, tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dicom-census" / "views"


def said(con: duckdb.DuckDBPyConnection) -> list[list[tuple[object, ...]]]:
    return [con.execute(sql).fetchall() for sql in SAID]


def loaded() -> list[list[tuple[object, ...]]]:
    with raw_views.open_database() as con:
        catalogue.load(con)
        return said(con)


@pytest.fixture(scope="module")
def no_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file, in which no folder can be made."""
    file = tmp_path_factory.mktemp("nothing") / "cache"
    file.write_text("no folder")
    return file


@pytest.fixture(scope="module")
def made(no_folder: Path) -> list[list[tuple[object, ...]]]:
    """What the catalogue says where each statement ran in the connection itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(no_folder))
        return loaded()


def test_a_copy_is_what_the_statements_make(made: list[list[tuple[object, ...]]], folder: Path) -> None:
    """Views, macros, columns, types and comments are the same, copied or made; the file stays, and no other is left."""
    (before,) = folder.iterdir()
    number = before.stat().st_ino
    assert loaded() == made and [(file, file.stat().st_ino) for file in folder.iterdir()] == [(before, number)]


def test_a_connection_is_its_own(folder: Path) -> None:
    """What a connection changes is not in the next one, and many threads open connections at once."""
    with raw_views.open_database() as con:
        catalogue.load(con)
        con.execute("DROP VIEW totals; CREATE TABLE mine (a INTEGER)").fetchall()
    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(lambda _: loaded(), range(8))
    assert "totals" in str(first) and "mine" not in {row[0] for row in first[1]} and all(o == first for o in others)


def test_other_sql_is_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other SQL, another meaning of a column, and another version of DuckDB each have a file of their own."""
    names = [catalogue._path()]
    (tmp_path / "columns.toml").write_text(views.COLUMNS.read_text("utf-8") + "\n")
    monkeypatch.setattr(views, "COLUMNS", tmp_path / "columns.toml")
    names.append(catalogue._path())
    monkeypatch.setattr(views, "questions", list)
    names.append(catalogue._path())
    monkeypatch.setattr(duckdb, "__version__", "another")
    assert len({*names, catalogue._path()}) == 4


def test_a_damaged_file_is_made_again(made: list[list[tuple[object, ...]]]) -> None:
    """A file that is cut off, within its contents or to nothing, is seen as damaged, hinders nothing, and is replaced."""
    file = catalogue.file()
    contents = file.read_bytes()
    for size in (0, 20_000):
        os.truncate(file, size)
        with raw_views.open_database() as con, pytest.raises(duckdb.Error):
            catalogue._copy(con, file, "memory")
        file.write_bytes(contents[:20_000])
    assert loaded() == made and file.stat().st_size == len(contents)


def test_nothing_needs_to_be_kept(made: list[list[tuple[object, ...]]], no_folder: Path) -> None:
    """Where no folder can be made, the views are made in the connection, each of them, and nothing else is."""
    assert {name for name, _ in made[0]} >= {query.name for query in views.definitions()}
    assert len(made[0]) == len(views.definitions()) + len(schema.tables())
    assert no_folder.read_text() == "no folder"
