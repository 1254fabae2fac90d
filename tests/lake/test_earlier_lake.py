"""Lakes written by an earlier program are read by this one, with the same rows, verification and numbers."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from pipeline.errors import GuardError
from pipeline.lake import layout, verify
from pipeline.lake.layout import Sweep
from pipeline.sweep import enrichment, freeze, run
from pipeline.views import connection

LAKES = Path(__file__).parents[1] / "data" / "lakes"
EXPECTED = json.loads((LAKES / "expected.json").read_text("utf-8"))
VIEWS = sorted(EXPECTED["views"])


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """SQL over the sealed lake, as `census sql` opens it."""
    lake = tmp_path_factory.mktemp("sealed") / "lake"
    shutil.copytree(LAKES / "sealed", lake)
    with connection.connect(lake) as con:
        yield con


def canonical(value: Any) -> Any:
    """Return a JSON value with its keys sorted and its numbers rounded to nine digits."""
    match value:
        case float():
            return float(f"{value:.9g}")
        case dict():
            return {name: canonical(member) for name, member in sorted(value.items())}
        case list():
            return [canonical(member) for member in value]
    return value


def rows(con: duckdb.DuckDBPyConnection, view: str, columns: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a view as JSON has them, with these columns."""
    names = ", ".join(f'"{name}"' for name in columns)
    texts = con.execute(f"SELECT to_json(r) FROM (SELECT {names} FROM {view}) AS r").fetchall()
    return [canonical(json.loads(text)) for (text,) in texts]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_the_rows_it_had(sealed: duckdb.DuckDBPyConnection, view: str) -> None:
    """Every view of the earlier program exists under its name, with its columns and its rows."""
    expected = EXPECTED["views"][view]
    found = rows(sealed, view, expected["columns"])
    assert len(found) == expected["rows"]
    lines = sorted(json.dumps(row, sort_keys=True) for row in found)
    if view in EXPECTED["rows"]:
        assert [json.loads(line) for line in lines] == EXPECTED["rows"][view]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == expected["sha256"]


@pytest.mark.parametrize("lake", ["sealed", "swept"])
def test_an_earlier_sweep_adds_up(lake: str) -> None:
    """Receipts, tables and plan of an earlier program's sweep add up, as parts and as sealed tables."""
    assert list(verify.faults(layout.open_sweep(LAKES / lake, None))) == []


def test_an_earlier_sweep_is_sealed_and_enriched(tmp_path: Path) -> None:
    """An earlier program's sweep is sealed and enriched by this program, and has the totals that the earlier program found."""
    shutil.copytree(LAKES / "swept", tmp_path / "lake")
    sweep = layout.open_sweep(tmp_path / "lake", None)
    run.seal(sweep)
    enrichment.enrich(sweep)
    with connection.connect(tmp_path / "lake") as con:
        columns = [name for name in EXPECTED["views"]["totals"]["columns"] if name != "sweep"]
        (totals,) = rows(con, "totals", columns)
    assert totals == {name: value for name, value in EXPECTED["rows"]["totals"][0].items() if name != "sweep"}


def test_an_earlier_plan_is_read_and_not_run() -> None:
    """An earlier program's plan is read as it was frozen, but not run: the error refers to the program that froze it."""
    sweep = layout.open_sweep(LAKES / "swept", None)
    assert isinstance(sweep, Sweep) and sweep.plan.settings.profile.sends_echo
    assert msgspec.json.decode(sweep.paths.plan.read_bytes())["settings"]["profile"] == "echo"
    with pytest.raises(GuardError, match=r"field code_version.*run it with the program that froze it"):
        freeze.require_fit(sweep.plan)
