"""Files from elsewhere: a value, or one error that names the file, in bounded memory and time."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.load import load_config
from pipeline.enrich import database_file, geo, range_table
from pipeline.enrich.database_kind import DatabaseKind
from pipeline.errors import CensusError, InputError
from pipeline.lake import layout, receipts, schema_versions, store
from pipeline.lake.layout import SweepPaths
from pipeline.plan import plan
from pipeline.space import address_list
from pipeline.status import workers
from pipeline.untrusted import bounded

ENDLESS = Path("/dev/zero")
DEEP = b'{"a":' * 100_000


class Named(msgspec.Struct):
    name: str


@pytest.mark.parametrize(
    "read",
    [load_config, address_list.read_file, geo.load, lambda path: database_file.read(path, DatabaseKind.COUNTRY)],
    ids=["configuration", "list", "country", "database"],
)
def test_an_endless_file(read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without end is refused as one that is too large."""
    for name in ("ADDRESS_LIST", "DATABASE"):
        monkeypatch.setattr(bounded, name, 1 << 20)
    with pytest.raises(InputError, match="is larger than . MiB"):
        read(ENDLESS)


def test_a_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is small only while it is packed is refused."""
    monkeypatch.setattr(bounded, "DATABASE", 1 << 20)
    path = tmp_path / "asn-2026-11-01.csv.gz"
    path.write_bytes(gzip.compress(bytes(2 << 20)))
    with pytest.raises(InputError, match="inflated: is larger than 1 MiB"):
        database_file.read(path, DatabaseKind.ASN)


def test_a_table_of_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that says it has more ranges than addresses allow is refused before it is read."""
    monkeypatch.setattr(range_table, "MOST_ROWS", 2)
    pq.write_table(pa.table({"first": [1, 2, 3]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="has 3 rows; no country table has over 2"):
        geo.load(tmp_path / "t.parquet")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "{a=" * 5000, "a." * 5000 + "a = 1", "\xff"])
def test_nested_toml(tmp_path: Path, text: str) -> None:
    """Nested or damaged TOML is one error that names the file."""
    path = tmp_path / "sweep.toml"
    path.write_text(text, "latin-1")
    with pytest.raises(InputError, match=r"sweep\.toml"):
        load_config(path)


DECODERS: dict[str, Callable[[bytes, SweepPaths], object]] = {
    "a plan": lambda data, paths: plan.decode(data, "plan.json"),
    "a plan in a lake": lambda data, paths: put(paths.plan, data) or layout.read_plan(paths.plan),
    "a receipt": lambda data, paths: put(paths.receipt("k"), data) or receipts.read_receipts(paths),
    "anything": lambda data, paths: bounded.json(data, Named, "k.json"),
}
#: Files that only inform: nothing depends on them, so a damaged one hides nothing and ends nothing.
INFORMING: dict[str, Callable[[bytes, SweepPaths], list[Any]]] = {
    "a note": lambda data, paths: put(paths.attempt("k", 1), data) or noted(receipts.earlier_attempts(paths, "k", 2)),
    "progress": lambda data, paths: put(paths.progress / "w.json", data) or workers.worker_progress(paths),
}
DAMAGED = (DEEP, b"", b"{", b"\xff", b"[]", b'{"a": 1', b"1e999", b'"\\ud800"')


def put(path: store.Location, data: bytes) -> None:
    store.write(path, data)


def noted(attempts: list[receipts.Attempt]) -> list[int]:
    """The probes that attempts are known to have sent."""
    return [attempt.probes_sent for attempt in attempts if attempt.probes_sent is not None]


@pytest.mark.parametrize("data", DAMAGED)
@pytest.mark.parametrize("kind", DECODERS)
def test_damaged_json(tmp_path: Path, kind: str, data: bytes) -> None:
    """Whatever JSON of a lake holds is a value or one error that names the file."""
    with pytest.raises(CensusError, match=r"\.json"):
        DECODERS[kind](data, SweepPaths(tmp_path / "lake", "trial"))


@pytest.mark.parametrize("kind", INFORMING)
def test_damage_that_is_passed_over(tmp_path: Path, kind: str) -> None:
    """A damaged note of an attempt or progress file is passed over, however it is damaged."""
    for number, data in enumerate(DAMAGED):
        assert INFORMING[kind](data, SweepPaths(tmp_path / str(number), "trial")) == []


def test_a_huge_receipt(tmp_path: Path) -> None:
    """A sparse file of a terabyte is refused before it takes memory."""
    path = Path(str(SweepPaths(tmp_path, "trial").receipt("k")))
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="is larger than 64 MiB"):
        receipts.read_receipts(SweepPaths(tmp_path, "trial"))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" * 100])
def test_a_damaged_table(tmp_path: Path, data: bytes) -> None:
    """A damaged table, or one of other types, is one error that names the file."""
    paths = SweepPaths(tmp_path, "trial")
    store.write(paths.sealed("responses"), data)
    with pytest.raises(CensusError, match="the table is damaged"):
        schema_versions.read(paths.sealed("responses"), "responses")
    pq.write_table(pa.table({"ip": [{"a": 1}]}), str(paths.sealed("responses")))
    with pytest.raises(CensusError, match="or is not a table `responses`"):
        schema_versions.read(paths.sealed("responses"), "responses")


def test_what_is_right_is_read(tmp_path: Path) -> None:
    """What is whole is a value."""
    value: Any = bounded.json(b'{"name": "a", "more": 1}', Named, "x")
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1")
    assert (value.name, bounded.toml(tmp_path / "a.toml")) == ("a", {"a": 1})
