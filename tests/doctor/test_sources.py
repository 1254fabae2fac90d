"""The checks of reference data and programs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import checkout
from pipeline.doctor import sources
from pipeline.doctor.finding import Level, Subject
from pipeline.enrich import geo, range_table
from pipeline.publish.data import FRESH_DAYS
from pipeline.sweep import freeze

SWEEP = """
sweep = { name = "doctor", ports = [104], seed = 1, rate = 1000 }
targets = { include = ["11.0.0.0/24"] }
geo = { country = "country.parquet" }
"""


@pytest.mark.parametrize(("age", "level"), [(FRESH_DAYS, Level.OK), (FRESH_DAYS + 2, Level.WARNING)])
def test_the_age_of_the_country_database(tmp_path: Path, age: int, level: Level) -> None:
    """A database that a report would call old is a warning, with its age and the command that takes a newer one."""
    built = (datetime.now(UTC) - timedelta(days=age)).date()
    facts = {"name": "made", "build_date": built.isoformat(), "sha256": "0" * 64}
    row = pa.table(
        [[0], [0xFFFFFFFF], ["GB"]], schema=pa.schema([("first", "uint32"), ("last", "uint32"), ("country", "string")])
    )
    range_table.save(row.cast(geo.SCHEMA), tmp_path / "country.parquet", facts)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    (found,) = sources.countries(Subject(freeze.freeze(tmp_path / "sweep.toml", tmp_path / "lake")))
    assert found.level is level
    assert f"built {built}" in found.text
    assert ("census refresh" in found.remedy) == (level is Level.WARNING)


def test_the_program_names_itself() -> None:
    """The first finding has the digest of the code, which a plan carries too."""
    first, *_ = sources.programs(Subject())
    assert checkout.code() in first.text and "duckdb" in first.text
