"""The made-up history of eight weeks as a lake, and a connection to it: made once, and left unchanged by every test."""

from pathlib import Path

import duckdb
import pytest

from tests.made_once import made_once
from tests.publish import history


@pytest.fixture(scope="session")
def history_lake(request: pytest.FixtureRequest) -> Path:
    return made_once(request, "history", lambda folder: history.write(folder / "lake")) / "lake"


@pytest.fixture(scope="session")
def history_con() -> duckdb.DuckDBPyConnection:
    return history.connect()
