"""The contract of the tables: every file of `schemas/` is read and is meaningful."""

import msgspec
import pyarrow as pa
import pytest

from pipeline import outcome, schema
from pipeline.record.visit import Certificate, TlsFacts
from pipeline.schema import Table

TABLES = schema.tables()
NAMES = [table.name for table in TABLES]


def test_every_file_is_a_table() -> None:
    """Each schema file contains the table that it is named after."""
    assert sorted(path.stem for path in schema.FOLDER.glob("*.toml")) == NAMES
    assert {"responses", "associations", "banners", "receipts"} <= set(NAMES)


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_columns(table: Table) -> None:
    """Columns have unique names, a type that Arrow knows and a meaning, and name an existing version."""
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert table.arrow.names == names
    for column in table.columns:
        assert isinstance(column.field.type, pa.DataType)
        assert column.meaning.endswith(".")
        assert 1 <= column.since <= table.version
        if column.before is not None:
            assert column.since > 1 and not column.null
            assert pa.scalar(column.before, column.field.type).as_py() == column.before


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_keys(table: Table) -> None:
    """Every table has a key, and keys and sort orders are made of columns."""
    columns = {column.name: column for column in table.columns}
    assert table.key
    assert set(table.key) | set(table.sort) <= columns.keys()


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_values_name_enumerations(table: Table) -> None:
    """`values` names an enumeration of outcomes, and the column is a text."""
    for column in table.columns:
        if column.values:
            members = getattr(outcome, column.values)
            assert issubclass(members, outcome.Explained)
            assert column.type == "string"
            assert column.allowed == [member.value for member in members]
        else:
            assert column.allowed == []


@pytest.mark.parametrize("name", ["responses", "associations"])
def test_judgement_is_closed(name: str) -> None:
    """Outcome and qualifiers have values of the closed vocabulary, and are never null."""
    columns = {column.name: column for column in schema.table(name).columns}
    drawn = {key: columns[key].values for key in ("outcome", "close_kind", "close_stage")}
    assert drawn == {"outcome": "Outcome", "close_kind": "CloseKind", "close_stage": "CloseStage"}
    assert not any(columns[key].null for key in drawn)


def test_handshakes_become_rows() -> None:
    """The table `tls` has its key, then the columns of a handshake's facts in order, and stores all facts."""
    names = [column.name for column in schema.table("tls").columns]
    assert names == ["ip", "port", "round", "shard", "range", "started_at", "outcome", *TlsFacts.__struct_fields__]
    certificate = Certificate(sha256="00", size=1, san=("DNS:a",), not_before=-62_135_596_800_000_000)
    facts = TlsFacts(
        handshake=outcome.Handshake.COMPLETED,
        client_certificate=outcome.ClientCertificate.REQUESTED,
        hello_us=1,
        chain=(certificate,),
    )
    row = {
        "ip": 1,
        "port": 2762,
        "round": 1,
        "shard": 0,
        "range": 0,
        "started_at": 0,
        "outcome": "echoed",
    } | msgspec.to_builtins(facts)
    table = pa.Table.from_pylist([row], schema=schema.table("tls").arrow)
    (back,) = table.to_pylist()
    assert back["handshake"] == "completed"
    assert back["chain"][0] | {"not_before": None} == msgspec.to_builtins(certificate) | {
        "san": ["DNS:a"],
        "warnings": [],
        "not_before": None,
    }
    assert back["chain"][0]["not_before"].year == 1


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("uint32", pa.uint32()),
        ("timestamp[us, UTC]", pa.timestamp("us", tz="UTC")),
        ("list<string>", pa.list_(pa.string())),
        ("list<struct<a: uint8, b: string>>", pa.list_(pa.struct([("a", pa.uint8()), ("b", pa.string())]))),
        (
            "struct<a: timestamp[us, UTC], b: list<string>>",
            pa.struct([("a", pa.timestamp("us", tz="UTC")), ("b", pa.list_(pa.string()))]),
        ),
    ],
)
def test_types(text: str, type: pa.DataType) -> None:
    """Types are read as the files write them."""
    assert schema.parse_type(text) == type


@pytest.mark.parametrize("text", ["", "int", "list<>", "list<int>", "uint8 "])
def test_unknown_types(text: str) -> None:
    """An unknown type is refused."""
    with pytest.raises(ValueError, match="unknown column type"):
        schema.parse_type(text)
