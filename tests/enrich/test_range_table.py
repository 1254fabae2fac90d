"""Tables of address ranges are checked when they are read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.enrich import geo, range_table
from pipeline.errors import InputError

FACTS = {"name": "made-up", "build_date": "2026-11-01", "sha256": "ab" * 32, "licence": "CC0-1.0"}


def save(path: Path, rows: list[tuple[int | None, int, str]], **facts: str) -> Path:
    first, last, country = zip(*rows, strict=True)
    table = pa.table({"first": pa.array(first, pa.uint32()), "last": pa.array(last, pa.uint32()), "country": country})
    range_table.save(table, path, FACTS | facts)
    return path


def read(path: Path) -> tuple[pa.Table, dict[str, str]]:
    return range_table.read(path, geo.SCHEMA, "country")


def test_rows_come_back_in_order_with_their_facts(tmp_path: Path) -> None:
    """Rows in any order are sorted by address; the facts that were saved are read again."""
    table, facts = read(save(tmp_path / "a.parquet", [(512, 767, "FR"), (0, 255, "GB")]))
    assert (table["first"].to_pylist(), table["country"].to_pylist(), facts) == ([0, 512], ["GB", "FR"], FACTS)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(0, 255, "GB"), (255, 300, "FR")], "ranges that overlap at 0.0.0.255"),
        ([(0, 2**32 - 1, "GB"), (1, 1, "FR")], "ranges that overlap at 0.0.0.1"),
        ([(9, 3, "GB")], "ends before it begins"),
        ([(None, 3, "GB")], "without a first or last address"),
    ],
)
def test_impossible_ranges_are_refused(tmp_path: Path, rows: list[tuple[int | None, int, str]], reason: str) -> None:
    """Ranges that overlap, are empty or lack a bound are refused, so that no address counts twice or negatively."""
    with pytest.raises(InputError, match=reason):
        read(save(tmp_path / "a.parquet", rows))


def test_a_table_must_name_its_build(tmp_path: Path) -> None:
    """A build date that is no date is refused, and so are columns of another type."""
    with pytest.raises(InputError, match="build date that is not a date"):
        read(save(tmp_path / "a.parquet", [(0, 255, "GB")], build_date="soon"))
    pq.write_table(pa.table({"first": ["x"], "last": [1], "country": ["GB"]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="is not a Parquet table of country ranges"):
        read(tmp_path / "b.parquet")


def test_the_folder_of_a_table_adds_no_column(tmp_path: Path) -> None:
    """A table below a folder named like a partition has its own columns only."""
    (tmp_path / "country=ZZ").mkdir()
    table, _ = read(save(tmp_path / "country=ZZ" / "a.parquet", [(0, 255, "GB")]))
    assert table["country"].to_pylist() == ["GB"]
