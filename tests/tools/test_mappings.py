"""What other censuses keep is in the lake, under its own name or by a mapping."""

import re

from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ

from pipeline import schema
from tests.analysis.lake import connect
from tools import mappings, tables_page

(CENSYS,) = mappings.mappings()
#: The leaves of the record in the vendor's own library.
LEAVES = {
    "pdu_type_name", "associate_ac.implementation_class_uid", "associate_ac.implementation_version_name",
    "associate_rj.result_name", "associate_rj.source_name", "associate_rj.reason_name", "a_abort.source_name", "a_abort.reason_name",
}  # fmt: skip
COLUMNS = {column.name for column in schema.table("associations").columns}


def names(field: str) -> set[tuple[int, ...]]:
    """The codes that a field has a name for."""
    (one,) = (one for one in CENSYS.fields if one.name == field)
    return {tuple(map(int, codes.split("/"))) for codes in one.names}


def test_every_field_has_its_columns() -> None:
    """Each leaf of the other record has a mapping, to columns that exist; what has no names has the same name here."""
    assert {one.name for one in CENSYS.fields} == LEAVES
    for one in CENSYS.fields:
        assert {re.sub(r"\[\d+\]$", "", column) for column in one.columns} <= COLUMNS
        assert one.names or one.name.rpartition(".")[2] == one.columns[0]


def test_every_code_has_its_name() -> None:
    """The names cover the codes that pynetdicom knows, without those that the standard reserves."""
    rejected, aborted = A_ASSOCIATE_RJ(), A_ABORT_RQ()
    for source in range(4):
        for reason in range(11):
            rejected.source, rejected.reason_diagnostic = source, reason
            known = source in (1, 2, 3) and "reserved" not in _said(rejected, "reason_str").lower()
            assert ((source, reason) in names("associate_rj.reason_name")) is known, (source, reason)
    for reason in range(7):
        aborted.source, aborted.reason_diagnostic = 2, reason
        known = "reserved" not in _said(aborted, "reason_str").lower()
        assert ((2, reason) in names("a_abort.reason_name")) is known, reason
    assert names("associate_rj.result_name") == {(1,), (2,)} and names("associate_rj.source_name") == {(1,), (2,), (3,)}
    assert names("a_abort.source_name") == {(0,), (2,)} and names("pdu_type_name") == {(2,), (3,), (7,)}


def _said(pdu: A_ASSOCIATE_RJ | A_ABORT_RQ, name: str) -> str:
    """What pynetdicom calls a code; it raises KeyError for one that it does not know."""
    try:
        return str(getattr(pdu, name))
    except (KeyError, ValueError):
        return "reserved"


def test_the_documented_query_gives_the_other_record() -> None:
    """The query of docs/tables.md gives accept, reject and abort in the words of the other census, and null for the rest."""
    con = connect(
        associations=[
            {
                "ip": 1,
                "port": 104,
                "pdu_types": [2, 6],
                "implementation_class_uid": "1.2",
                "implementation_version_name": "V",
            },
            {"ip": 2, "port": 104, "pdu_types": [3], "rj_result": 1, "rj_source": 1, "rj_reason": 7},
            {"ip": 3, "port": 104, "pdu_types": [7], "abort_source": 2, "abort_reason": 2},
            {"ip": 4, "port": 104, "pdu_types": [7], "abort_source": 0, "abort_reason": 0},
        ]
    )
    (query,) = re.findall(r"```sql\n(.+?)```", tables_page.page(), re.S)
    rows = con.execute(f"{query} ORDER BY address").fetchall()
    assert [row[3:] for row in rows] == [
        ("A-ASSOCIATE-AC", "1.2", "V", None, None, None, None, None),
        (
            "A-ASSOCIATE-RJ",
            None,
            None,
            "rejected-permanent",
            "DICOM UL service-user",
            "called-AE-title-not-recognized",
            None,
            None,
        ),
        ("A-ABORT", None, None, None, None, None, "DICOM UL service-provider", "unexpected-PDU"),
        ("A-ABORT", None, None, None, None, None, "DICOM UL service-user", None),
    ]
