"""Answers of real products, and what the rules make of them."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.associate.conversation import Conversation
from pipeline.enrich import fingerprints, octets, ruleset
from pipeline.enrich.fingerprints import Asked
from pipeline.lake import parts
from pipeline.space.ranges import Ranges
from pipeline.wire import outgoing

FIXTURES = Path(__file__).parent.parent / "data" / "fixtures.jsonl"
OUTGOING = outgoing.encode(calling_ae="DICOM-CENSUS", class_uid=outgoing.class_uid("https://census.example.org/"))
HOST = 0xC13E0001
DCMTK = {
    "identity_rule": "dcmtk",
    "toolkit": "DCMTK",
    "toolkit_version": "3.6.7",
    "product": None,
    "vendor": "OFFIS",
    "kind": "toolkit",
    "grade": "L",
    "mismatch": [],
    "suspicions": [],
}
EXPLICIT = DCMTK | {"behaviour_rules": ["dcmtk-explicit"]}
NOTHING = {"identity_rule": None, "toolkit": None, "product": None, "grade": None, "mismatch": [], "suspicions": []}
#: Capture → what its accepted ordinary conversation is taken for. Orthanc cannot be told from DCMTK by such a one.
EXPECTED: dict[str, dict[str, Any]] = {
    "dcmtk-storescp-3.6.7": EXPLICIT,
    "dcmtk-storescp-3.6.7-reject": EXPLICIT,
    "dcmtk-dcmqrscp-3.6.7-open": EXPLICIT,
    "dcmtk-wlmscpfs-3.6.7": EXPLICIT,
    "orthanc-1.10.1-default": EXPLICIT,
    # The captures asked with 16384 bytes, so whoever repeats our length looks like DCMTK; a sweep asks with 16383.
    "dcmtk-dcmrecv-3.6.7": DCMTK | {"behaviour_rules": ["dcmtk-implicit", "ctn", "odil", "dcmjs-dimse"]},
    "dcmtk-storescp-3.6.7-refuse": NOTHING,
    "dcmtk-dcmqrscp-3.6.7": NOTHING,
    "orthanc-1.10.1-strict": NOTHING,
    "pynetdicom-3.0.4-strict": NOTHING,
    "pynetdicom-3.0.4-default": {
        "identity_rule": "pynetdicom",
        "toolkit": "pynetdicom",
        "toolkit_version": "3.0.4",
        "product": None,
        "kind": "toolkit",
        "grade": "L",
        "behaviour_rules": ["pynetdicom"],
        "mismatch": [],
        "suspicions": [],
    },
    "conquest-1.5.0": {
        "identity_rule": "conquest",
        "toolkit": None,
        "product": "Conquest",
        "product_version": "1.5.0",
        "kind": "archive",
        "behaviour_rules": ["conquest"],
        "mismatch": [],
        "suspicions": [],
    },
    "dcmjs-dimse-0.3.3": {
        "identity_rule": "dcmjs-dimse",
        "toolkit": "dcmjs-dimse",
        "toolkit_version": "0.2",
        "mismatch": [],
        "suspicions": [],
    },
    "honeypot-dicompot": {
        "identity_rule": None,
        "toolkit": None,
        "behaviour_rules": ["go-netdicom"],
        "mismatch": [],
        "suspicions": ["dicompot", "dicompot-echo", "class-uid-missing"],
    },
    "honeypot-dicompot-enforce": {
        "identity_rule": None,
        "behaviour_rules": ["go-netdicom"],
        "suspicions": ["dicompot", "dicompot-echo", "class-uid-missing"],
    },
}


def captures(case: str) -> dict[str, list[tuple[str, bytes]]]:
    """What was sent and received in a case of each capture."""
    lines = map(json.loads, FIXTURES.read_text("utf-8").splitlines())
    return {
        row["file"].removesuffix(".hex.txt"): [
            (event["ev"], bytes.fromhex(event["hex"])) for event in row["events"] if "hex" in event
        ]
        for row in lines
        if row["case"].startswith(case)
    }


def row_of(events: list[tuple[str, bytes]], ip: int = HOST, port: int = 104) -> dict[str, Any]:
    """The row of `associations` that a captured conversation gives, as if our request had been the captured one."""
    request = events[0][1]
    talk = Conversation(replace(OUTGOING, request=request), echo=True, ip=ip, port=port, started_at_us=0)
    talk.connected(10)
    for kind, data in events:
        if kind == "recv":
            talk.received(data, 20)
    visit = talk.visit()
    row = {name: getattr(visit, name) for name in visit.__dataclass_fields__}
    row["contexts"] = [asdict(context) for context in visit.contexts] if visit.contexts is not None else None
    return row | {name: str(row[name].value) for name in ("outcome", "close_kind", "close_stage")}


def judge(rows: list[dict[str, Any]], request: bytes, **asked: Any) -> list[dict[str, Any]]:
    """What the rules say of rows."""
    found = pa.Table.from_batches([parts.from_rows(rows, "associations")])
    given = {
        "offer": octets.offer(request),
        "space": Ranges.of([(HOST & ~255, HOST | 255)]),
        "share": 1.0,
        "answered": np.array([row["ip"] for row in rows], np.uint32),
    }
    table = fingerprints.fingerprints(found, Asked(**given | asked), ruleset.load())
    assert table.schema.equals(schema.table("fingerprints").arrow, check_metadata=True)
    judged: list[dict[str, Any]] = table.to_pylist()
    return judged


def test_every_capture_has_its_expectation() -> None:
    """Each product that was captured stands in the table of this test."""
    assert set(captures("01")) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_real_products_are_who_they_are(name: str) -> None:
    """The ordinary conversation with each real product gives its toolkit, product and version, and no false suspicion."""
    events = captures("01")[name]
    (judged,) = judge([row_of(events)], events[0][1])
    assert {key: judged[key] for key in EXPECTED[name]} == EXPECTED[name]
