"""The rules applied to answers of real products."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.associate.conversation import Conversation
from pipeline.enrich import fingerprints, offer, ruleset
from pipeline.enrich.fingerprints import SweepContext
from pipeline.lake import parts
from pipeline.record.visit import columns
from pipeline.space.ranges import Ranges
from pipeline.wire import outgoing
from tests.captures import of_case

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
#: Capture → the identity found for its ordinary accepted conversation. Orthanc's looks like DCMTK's.
EXPECTED: dict[str, dict[str, Any]] = {
    "dcmtk-storescp-3.6.7": EXPLICIT,
    "dcmtk-storescp-3.6.7-reject": EXPLICIT,
    "dcmtk-dcmqrscp-3.6.7-open": EXPLICIT,
    "dcmtk-wlmscpfs-3.6.7": EXPLICIT,
    "orthanc-1.10.1-default": EXPLICIT,
    # The captures declared 16384 bytes, so a server that mirrors our length looks like DCMTK; a sweep declares 16383.
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


def captures(number: str) -> dict[str, list[tuple[str, bytes]]]:
    """What was sent and received in one case, for the products of this table."""
    return {name: events for name, events in of_case(number).items() if name in EXPECTED}


def row_of(events: list[tuple[str, bytes]], ip: int = HOST, port: int = 104) -> dict[str, Any]:
    """The row of `associations` for a captured conversation, with the captured request in place of ours."""
    request = events[0][1]
    talk = Conversation(replace(OUTGOING, request=request), echo=True, ip=ip, port=port, started_at_us=0)
    talk.connected(10)
    for kind, data in events:
        if kind == "recv":
            talk.received(data, 20)
    visit = talk.visit()
    return columns(visit)


def judge(rows: list[dict[str, Any]], request: bytes, **kwargs: Any) -> list[dict[str, Any]]:
    """The rules' results for rows."""
    result = pa.Table.from_batches([parts.from_rows(rows, "associations")])
    given = {
        "offer": offer.offer(request),
        "space": Ranges.of([(HOST & ~255, HOST | 255)]),
        "share": 1.0,
        "answered": np.array([row["ip"] for row in rows], np.uint32),
    }
    table = fingerprints.fingerprints(result, SweepContext(**given | kwargs), ruleset.load())
    assert table.schema.equals(schema.table("fingerprints").arrow, check_metadata=True)
    judged: list[dict[str, Any]] = table.to_pylist()
    return judged


def test_every_capture_has_its_expectation() -> None:
    """Each captured product is in the table of this test."""
    assert set(captures("01")) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_real_products_are_who_they_are(name: str) -> None:
    """The ordinary conversation with each real product gives its toolkit, product and version, and no false suspicion."""
    events = captures("01")[name]
    (judged,) = judge([row_of(events)], events[0][1])
    assert {key: judged[key] for key in EXPECTED[name]} == EXPECTED[name]


#: Cases whose request differs from ours so that a server behaves differently: 08 offers asynchronous operations, 09 to 11
#: another protocol version, 12 and 13 another application context or none, 35 no limit of PDUs; 14, 21 and 25 are garbage
#: that Conquest makes acceptances of.
UNLIKE_OURS = ("08", "09", "10", "11", "12", "13", "14", "21", "25", "35")


def test_every_captured_acceptance_is_whose_it_is() -> None:
    """In all captured conversations like ours, an acceptance gives its product without a mismatch, a rejection nothing."""
    tried = 0
    for number in (f"{number:02d}" for number in range(1, 36)):
        if number in UNLIKE_OURS:
            continue
        for name, events in captures(number).items():
            row = row_of(events)
            if row["like_dicom"] and events[0][1][0] == 1:
                (judged,) = judge([row], events[0][1])
                whose = EXPECTED[name] if row["contexts"] is not None else NOTHING
                assert judged["toolkit"] == whose.get("toolkit"), (name, number)
                assert judged["product"] == whose.get("product"), (name, number)
                assert judged["mismatch"] == [], (name, number)
                doubted = name.startswith("honeypot") and (row["contexts"] is not None or row["abort_source"] == 0)
                assert bool(judged["suspicions"]) == doubted, (name, number)
                tried += 1
    assert tried > 150


def test_a_sound_request_is_never_refused_as_an_unsound_one() -> None:
    """Rejections for protocol version or application context occur only with unusual requests; in answer to ours they are suspect."""
    refused: dict[str, set[str]] = {}
    for number in (f"{number:02d}" for number in range(1, 36)):
        for name, events in captures(number).items():
            if events[0][1][0] == 1:
                (judged,) = judge([row_of(events)], events[0][1])
                refused.setdefault(number, set()).update(
                    [name] if "refuses-what-was-not-sent" in judged["suspicions"] else []
                )
    assert {number for number, names in refused.items() if names} == {"09", "10", "11", "12", "13"}
    assert len(refused["09"]) >= 8


def test_our_own_identity_returned_is_seen() -> None:
    """Conquest returns our own identity when a request has no contexts."""
    events = captures("14")["conquest-1.5.0"]
    (judged,) = judge([row_of(events)], events[0][1])
    assert {"own-class-uid", "own-version-name"} <= set(judged["suspicions"])


def disguised(uid: bytes, name: bytes) -> list[tuple[str, bytes]]:
    """pynetdicom's captured acceptance with another name, as DICOMHawk sends it."""
    (sent, request), (received, answer) = captures("01")["pynetdicom-3.0.4-default"][:2]
    head, _, _ = answer.partition(b"\x52\0")
    user = head.rindex(b"\x50\0")
    body = head[user + 4 :] + b"".join(
        bytes([kind, 0]) + len(text).to_bytes(2) + text for kind, text in ((0x52, uid), (0x55, name))
    )
    whole = head[:user] + b"\x50\0" + len(body).to_bytes(2) + body
    return [(sent, request), (received, whole[:2] + (len(whole) - 6).to_bytes(4) + whole[6:])]


@pytest.mark.parametrize(
    ("uid", "name", "toolkit", "mismatch", "suspicions"),
    [
        (
            b"1.2.276.0.7230010.3.0.3.6.2",
            b"OFFIS_DCMTK_362",
            "DCMTK",
            ["dcmtk-explicit", "dcmtk-implicit", "dcmqrscp-order", "orthanc-roles", "storescp-roles", "dcmqrscp-roles"],
            ["dicomhawk-default", "pynetdicom-disguised"],
        ),
        (b"1.2.840.113619.6.96", b"GE_PACS_REV_24", None, [], ["dicomhawk-persona", "pynetdicom-disguised"]),
        (
            b"1.3.12.2.1107.5.2",
            b"syngo CT VA48A",
            None,
            [],
            ["dicomhawk-persona", "pynetdicom-disguised", "bare-vendor-root"],
        ),
    ],
)
def test_a_borrowed_name_shows(
    uid: bytes, name: bytes, toolkit: str, mismatch: list[str], suspicions: list[str]
) -> None:
    """A declared name with another implementation's behaviour is kept, together with the mismatch and the suspicion."""
    events = disguised(uid, name)
    (judged,) = judge([row_of(events)], events[0][1])
    assert (judged["toolkit"], judged["mismatch"], judged["suspicions"]) == (toolkit, mismatch, suspicions)


def test_unknown_identities_have_a_root_and_a_hash() -> None:
    """A class UID that no rule knows keeps its registered root, and the rest only as a hash."""
    events = disguised(b"1.2.840.99999.5.6.7", b"NOBODYS")
    (judged,) = judge([row_of(events)], events[0][1])
    assert judged["identity_rule"] is None and judged["class_uid_root"] == "1.2.840.99999"
    assert judged["class_uid_hash"] and "NOBODYS" not in str(judged)


def test_equal_answers_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules are evaluated once for each distinct answer and neighbourhood, and each row gets its own result."""
    judged_rows: list[str] = []
    original = fingerprints._judge
    monkeypatch.setattr(
        fingerprints, "_judge", lambda row, *rest: judged_rows.append(row["raw"]) or original(row, *rest)
    )
    conversations = [captures("01")[name] for name in ("dcmtk-storescp-3.6.7", "pynetdicom-3.0.4-default")]
    rows = [row_of(conversations[n % 2], ip=HOST + 256 * n) for n in range(40)]
    judged = judge(rows, conversations[0][0][1], space=Ranges.of([(HOST & ~255, (HOST | 255) + 256 * 40)]))
    assert [row["toolkit"] for row in judged] == ["DCMTK", "pynetdicom"] * 20
    assert [row["ip"] for row in judged] == [row["ip"] for row in rows]
    assert len(judged_rows) == 2


def test_a_fleet_in_a_prefix_is_suspected() -> None:
    """Sixteen addresses of a /24 with the same bytes raise a suspicion, fifteen do not; all stay in the table."""
    events = captures("01")["orthanc-1.10.1-default"]
    for size, expected in ((15, []), (16, ["prefix-same-reply"])):
        judged = judge([row_of(events, ip=HOST + n) for n in range(size)], events[0][1])
        assert [row["suspicions"] for row in judged] == [expected] * size


def test_nothing_is_judged_of_nothing() -> None:
    """A sweep without an association has an empty table."""
    assert judge([], OUTGOING.request) == []
