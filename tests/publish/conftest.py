"""The made-up history of eight weeks as a lake, and a connection to it: made once, and left unchanged by every test."""

from pathlib import Path

import duckdb
import pytest

from tests.publish import history


@pytest.fixture(scope="session")
def history_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "lake"
    history.write(folder)
    return folder


@pytest.fixture(scope="session")
def history_con() -> duckdb.DuckDBPyConnection:
    return history.connect()
