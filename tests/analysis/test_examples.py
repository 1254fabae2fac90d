"""Marts by example: each file of `examples/` has tiny tables, a query and the expected rows."""

import tomllib
from pathlib import Path

import pytest

from pipeline.views import views
from tests.analysis.lake import connect, rows

FILES = sorted((Path(__file__).parent / "examples").glob("*.toml"))
MARTS = {path.stem for path in (views.FOLDER / "marts").glob("*.sql")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    """The query of a file gives the rows of the file; "" is null, which TOML does not have."""
    case = tomllib.loads(path.read_text("utf-8"))
    found = rows(connect(**case["tables"]), case["query"])
    assert [["" if value is None else value for value in row] for row in found] == case["expected"]["rows"], case[
        "fact"
    ]


def test_every_mart_has_an_example() -> None:
    """Each mart has a file here, or is in another test of this folder."""
    written = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert not {mart for mart in MARTS - {path.stem for path in FILES} if mart not in written}
