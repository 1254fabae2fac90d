"""Truncated journals, and the tidying of rows."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.lake import parts
from pipeline.lake.store import Location
from pipeline.record.receipt import Part

RESPONSES = schema.table("responses")


def row(ip: int, port: int = 104, *, ttl: int = 60) -> dict[str, Any]:
    at = datetime(2026, 2, 11, tzinfo=UTC)
    return {
        "ip": ip, "port": port, "answered_at": at, "ttl": ttl, "window": 1,
        "outcome": "silent", "close_kind": "deadline", "close_stage": "associate", "banner": None,
    }  # fmt: skip


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    return parts.from_rows(list(rows), "responses")


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_batches([batch(*rows)])


def written(path: Path, sizes: tuple[int, ...], *, close: bool) -> list[int]:
    """Write a journal of batches of these sizes; return the file's length after each batch."""
    journal = parts.journal(path, "responses")
    lengths = []
    for number, size in enumerate(sizes):
        journal.append(batch(*(row(100 * number + index) for index in range(size))))
        journal.commit(force=True)
        lengths.append(path.stat().st_size)
    if close:
        journal.close()
    return lengths


@pytest.mark.parametrize("close", [True, False])
def test_journal_cut_anywhere(tmp_path: Path, close: bool) -> None:
    """A journal cut at any byte gives all complete batches in order, and never an error."""
    path = tmp_path / "journal.arrows"
    sizes = (1, 3, 2)
    lengths = written(path, sizes, close=close)
    data = path.read_bytes()
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = sum(length <= cut for length in lengths)
        addresses = parts.read_journal(path, "responses").column("ip").to_pylist()
        assert addresses == [100 * n + index for n, size in enumerate(sizes[:whole]) for index in range(size)]


def test_journal(lake: Location) -> None:
    """Committed rows are read back in order, even while the journal is open, and without another journal's rows."""
    path = lake / "journal" / "000-000000.1.responses.arrows"
    journal, other = parts.journal(path, "responses"), parts.journal(path.with_name("000-000000.11.x"), "responses")
    other.append(batch(row(99)))
    other.close()
    for first in (0, 10, 20):
        journal.append(batch(row(first), row(first + 1)))
        journal.append(batch(row(first + 2)))
        journal.commit(force=True)
    expected = [first + index for first in (0, 10, 20) for index in range(3)]
    assert parts.read_journal(path, "responses")["ip"].to_pylist() == expected
    journal.append(batch(row(30)))
    journal.close()
    assert parts.read_journal(path, "responses")["ip"].to_pylist() == [*expected, 30]


def test_last_commit(lake: Location) -> None:
    """A journal has the time of its last commit; a missing journal has none."""
    path, began = lake / "000-000000.1.responses.arrows", datetime.now(UTC)
    assert parts.last_commit(path) is None
    journal = parts.journal(path, "responses")
    journal.append(batch(row(1)))
    journal.close()
    told = parts.last_commit(path)
    assert told is not None and abs((told - began).total_seconds()) < 10  # object stores give whole seconds


def test_no_journal(lake: Location) -> None:
    """A missing journal is read as an empty table with the right columns."""
    rows = parts.read_journal(lake / "none", "responses")
    assert len(rows) == 0
    assert rows.schema.equals(schema.table("responses").arrow)


def test_tidy() -> None:
    """Rows are sorted, and the first of several rows with one key is kept."""
    first = table(row(9), row(5, 11112), row(5, 104, ttl=1))
    second = table(row(5, 104, ttl=2), row(1), row(9, ttl=3))
    tidied = parts.tidy([first, second], "responses")
    found = [(r["ip"], r["port"], r["ttl"]) for r in tidied.to_pylist()]
    assert found == [(1, 104, 60), (5, 104, 1), (5, 11112, 60), (9, 104, 60)]
    assert tidied.schema.equals(schema.table("responses").arrow, check_metadata=True)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 255)), max_size=12), max_size=4)
)
def test_tidy_is_a_dictionary_in_order(tables: list[list[tuple[int, int, int]]]) -> None:
    """Tidying keeps the first row of each key, as a dictionary would, sorted by key, however many tables there are."""
    kept: dict[tuple[int, int], int] = {}
    for ip, port, ttl in (each for rows in tables for each in rows):
        kept.setdefault((ip, port), ttl)
    made = [table(*(row(ip, port, ttl=ttl) for ip, port, ttl in rows)) for rows in [[], *tables]]
    found = parts.tidy(made, "responses").to_pylist()
    assert [((each["ip"], each["port"]), each["ttl"]) for each in found] == sorted(kept.items())


def test_no_value_is_a_key_as_another() -> None:
    """Null equals null in a key column, and is sorted last."""
    asns = [None, 7, None, None, 7]
    named = [{"country": "GB", "asn": asn, "organisation": None, "addresses": n} for n, asn in enumerate(asns)]
    common = {"network_kind": "unknown", "asn_source": "s"}
    rows = [common | each for each in named]
    made = pa.Table.from_batches([parts.from_rows(rows, "network_coverage")])
    assert [(r["asn"], r["addresses"]) for r in parts.tidy([made], "network_coverage").to_pylist()] == [
        (7, 1),
        (None, 0),
    ]


@pytest.mark.parametrize("name", ["responses", "associations", "banners"])
def test_tidy_nothing(name: str) -> None:
    """Tidying empty tables gives an empty table of the same columns."""
    empty = schema.table(name).arrow.empty_table()
    tidied = parts.tidy([empty, empty], name)
    assert len(tidied) == 0
    assert tidied.schema.equals(empty.schema)


def test_write(lake: Location) -> None:
    """A part has the row count and the hash of its file; the file names its table, version and sweep."""
    path = lake / "000-000001.1.parquet"
    part = parts.write(path, table(row(1), row(2)), "responses", "20260211-trial", digest="ab")
    assert part == Part("responses", path.name, 2, hashlib.sha256(path.read_bytes()).hexdigest())
    rows = pq.read_table(path, partitioning=None)
    assert rows.to_pylist() == [row(1), row(2)]
    metadata = rows.schema.metadata
    assert metadata[b"census.table"] == b"responses"
    assert metadata[b"census.schema_version"] == str(RESPONSES.version).encode()
    assert metadata[b"census.sweep"] == b"20260211-trial"
    assert metadata[b"census.plan_digest"] == b"ab"


def test_a_table_explains_its_columns(tmp_path: Path) -> None:
    """A sealed table has each column's meaning and unit in its metadata; a part, which only the program reads, has none."""
    rows = schema.table("associations").arrow.empty_table()
    for explained in (True, False):
        parts.write(tmp_path / f"{explained}.parquet", rows, "associations", "s", explained=explained)
    described = pq.read_schema(tmp_path / "True.parquet")
    for column in schema.table("associations").columns:
        told = described.field(column.name).metadata
        assert told[b"comment"].decode() == column.meaning and told.get(b"unit", b"").decode() == column.unit
    assert described.field("syn_rtt_us").metadata[b"unit"].decode() == "µs"
    assert {field.metadata for field in pq.read_schema(tmp_path / "False.parquet")} == {None}


@pytest.mark.parametrize("name", [each.name for each in schema.tables()])
def test_duckdb_reads_each_column(tmp_path: Path, name: str) -> None:
    """Each column has the rows' values when DuckDB must decode it because no file statistics answer the query."""
    arrow = schema.table(name).arrow
    none = [{field.name: None if field.nullable else _some(field.type) for field in arrow}]
    some = [{field.name: _some(field.type) for field in arrow}] * 3
    rows = pa.Table.from_pylist(none + some, schema=arrow)
    parts.write(tmp_path / "part.parquet", rows, name, "s")
    with duckdb.connect() as con:
        told = con.execute("FROM read_parquet(?)", [str(tmp_path / "part.parquet")]).to_arrow_table()
    assert [told[field.name].null_count for field in arrow] == [rows[field.name].null_count for field in arrow]
    assert told.num_rows == 4


def _some(kind: pa.DataType) -> Any:
    """A value of a type."""
    if pa.types.is_list(kind):
        return [_some(kind.value_type)] * 2
    if pa.types.is_struct(kind):
        return {member.name: _some(member.type) for member in kind}
    if pa.types.is_timestamp(kind):
        return datetime(2026, 2, 11, tzinfo=UTC)
    return {"string": "s", "binary": b"b", "bool": True}.get(str(kind), 1)


def test_from_rows() -> None:
    """Keys that the table lacks are left out, and columns that a row lacks are null."""
    made = parts.from_rows([{"ip": 1, "other": 2}], "responses")
    assert made.schema.equals(schema.table("responses").arrow)
    assert made.to_pylist()[0] == dict.fromkeys(made.schema.names) | {"ip": 1}


def test_pieces_make_one_file(tmp_path: Path) -> None:
    """Rows written in pieces, one of them empty, give the same file as rows written at once."""
    rows = [{"country": code, "addresses": n, "country_source": "s"} for n, code in enumerate("ABC")]
    whole = pa.Table.from_batches([parts.from_rows(rows, "coverage")])
    one = parts.write(tmp_path / "one.parquet", whole, "coverage", "s")
    pieces = iter([whole.slice(0, 2), whole.slice(0, 0), whole.slice(2)])
    many = parts.write_pieces(tmp_path / "many.parquet", pieces, "coverage", "s")
    one_read, many_read = (
        pq.read_table(tmp_path / name, partitioning=None) for name in ("one.parquet", "many.parquet")
    )
    assert one.rows == many.rows == 3 and one_read.equals(many_read, check_metadata=True)


@pytest.mark.parametrize("piece", [1, 3, 10, 10_000])
def test_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """Merging parts piece by piece gives the same rows as merging them at once, however small the pieces are."""
    monkeypatch.setattr(parts, "PIECE_ROWS", piece)
    generator = np.random.default_rng(piece)
    tables = [table(*(row(int(ip), ttl=number) for ip in generator.integers(0, 40, 30))) for number in range(3)]
    files = [tmp_path / f"{number}.parquet" for number in range(3)]
    for file, rows in zip(files, tables, strict=True):
        parts.write(file, rows, "responses", "s")
    pieces = list(parts.merged(files, "responses"))
    assert pa.concat_tables(pieces).to_pylist() == parts.tidy(tables, "responses").to_pylist()
    assert max(map(len, pieces)) <= max(40, piece) and (piece > 90 or len(pieces) > 1)
