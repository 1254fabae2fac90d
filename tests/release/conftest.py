"""A lake of three weeks, and a release of their series with microdata: made once a worker, and left unchanged by every test."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.config.sections import ReleaseSection
from pipeline.lake import layout
from pipeline.release import bundle
from pipeline.views import connection, marts
from tests.publish import history

SWEEPS = tuple(sweep for sweep in history.history() if sweep.week >= 5 and sweep.name == "weekly")
SECTION = ReleaseSection(
    licence="CC-BY-4.0",
    creators=("Lovelace, Ada (0000-0002-1825-0097)", "Example Laboratory"),
    doi="10.5281/zenodo.1234567",
    url="https://census.example.org/",
    microdata=True,
)


@pytest.fixture(scope="session")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the last three weeks of the made-up history, with its marts built."""
    lake = tmp_path_factory.mktemp("weeks") / "lake"
    history.write(lake, SWEEPS)
    for paths in layout.sweeps(lake):
        marts.build(paths)
    return lake


@pytest.fixture(scope="session")
def weeks_con(weeks: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connection.connect(weeks) as con:
        yield con


@pytest.fixture(scope="session")
def released(weeks_con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release."""
    folder = tmp_path_factory.mktemp("released") / "release"
    wanted = bundle.Wanted(tuple(sweep.id for sweep in SWEEPS), SECTION, 5, (), "unsigned: nobody signed anything")
    bundle.write(weeks_con, folder, wanted)
    return folder
