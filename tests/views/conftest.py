"""The made-up history as a lake, shared with the tests of publication, and a connection to its files."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.views import connection
from tests.publish.conftest import history_lake

__all__ = ["history_con", "history_lake"]


@pytest.fixture(scope="session")
def history_con(history_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connection.connect(history_lake) as con:
        yield con
