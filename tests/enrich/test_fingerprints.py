"""The rules applied to answers of real products."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.enrich import feature, fingerprints, offer, ruleset, suspicion
from pipeline.enrich.fingerprints import SweepContext
from pipeline.lake import parts
from pipeline.space.ranges import Ranges
from tests.captures import FIXTURES, name, of_case, packets
from tests.enrich import trials
from tests.enrich.trials import HOST, OUTGOING, row_of
from tests.lab.products import load

RULES = ruleset.load()
#: Suspicions that no honest server should raise.
ACCUSING = {rule.id for rule in RULES.suspicions if rule.suspicion_class in trials.ACCUSES}
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
PRINT = DCMTK | {"behaviour_rules": ["dcmtk-print"]}
NOTHING = {"identity_rule": None, "toolkit": None, "product": None, "grade": None, "mismatch": [], "suspicions": []}
PYNETDICOM = {
    "identity_rule": "pynetdicom",
    "toolkit": "pynetdicom",
    "toolkit_version": "3.0.4",
    "product": None,
    "kind": "toolkit",
    "grade": "L",
    "behaviour_rules": ["pynetdicom"],
    "mismatch": [],
    "suspicions": [],
}
#: Both return our own identity, which is nothing that they declare.
PYNETDICOM2 = {
    "class_uid_root": None,
    "class_uid_hash": None,
    "identity_rule": "pynetdicom2",
    "toolkit": "pynetdicom2",
    "product": None,
    "behaviour_rules": ["odil", "dcmjs-dimse", "pynetdicom2", "pynetdicom2-echo"],
    "mismatch": [],
    "class_uid_reflected": True,
    "version_name_reflected": True,
    "suspicions": [],
}
PYDCM = {
    "identity_rule": "pydcm",
    "toolkit": "pydcm",
    "toolkit_version": None,
    "behaviour_rules": ["pydcm"],
    "mismatch": [],
    "suspicions": [],
}
#: What an accepting conversation of 03 says that 01, under another called AE title, does not.
OPENED = {
    "dicom-ai-router-0.3.0": PYNETDICOM | {"behaviour_rules": ["pynetdicom-unlimited"]},
    "dicom-ai-router-0.3.0-mini-pacs": PYNETDICOM | {"behaviour_rules": []},
    "tiny-pacs-0.4.1": PYNETDICOM2,
}
#: Capture → the identity found for its ordinary accepted conversation. Orthanc's looks like DCMTK's.
EXPECTED: dict[str, dict[str, Any]] = {
    "dcmtk-storescp-3.6.7": EXPLICIT,
    "dcmtk-storescp-3.6.7-reject": EXPLICIT,
    "dcmtk-dcmqrscp-3.6.7-open": EXPLICIT,
    "dcmtk-wlmscpfs-3.6.7": EXPLICIT,
    "orthanc-1.10.1-default": EXPLICIT,
    # The captures declared 16384 bytes, so a server that mirrors our length looks like DCMTK; a sweep declares 16383.
    "dcmtk-dcmrecv-3.6.7": DCMTK | {"behaviour_rules": ["dcmtk-implicit", "ctn", "odil", "dcmjs-dimse"]},
    "dcmtk-dcmprscp-3.6.7": PRINT,
    "dcmtk-dcmpsrcv-3.6.7": PRINT,
    "dcmtk-storescp-3.6.7-refuse": NOTHING,
    "dcmtk-dcmqrscp-3.6.7": NOTHING,
    "orthanc-1.10.1-strict": NOTHING,
    "pynetdicom-3.0.4-strict": NOTHING,
    "dicom-ai-router-0.3.0": NOTHING,
    "dicom-ai-router-0.3.0-mini-pacs": NOTHING,
    "tiny-pacs-0.4.1": NOTHING,
    "pynetdicom-3.0.4-default": PYNETDICOM,
    "dimsechord-0.8.0": PYNETDICOM,
    "pynetdicom2-0.9.8": PYNETDICOM2,
    "pydcm-0.5.0": PYDCM,
    "pydcm-0.5.0-bare": PYDCM,
    "pydcm-0.5.0-doc": PYDCM | {"behaviour_rules": []},
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
        "suspicions": ["dicompot", "class-uid-missing", "echo-without-sop-class"],
    },
    "honeypot-dicompot-enforce": {
        "identity_rule": None,
        "behaviour_rules": ["go-netdicom"],
        "suspicions": ["dicompot", "class-uid-missing", "echo-without-sop-class"],
    },
}


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
    """Each product that was captured by hand is in the table of this test; `tests/lab` has those of the laboratory."""
    assert set(of_case("01")) - set(load()) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_real_products_are_who_they_are(name: str) -> None:
    """The ordinary conversation with each real product gives its toolkit, product and version, and no false suspicion."""
    events = of_case("01")[name]
    (judged,) = judge([row_of(events)], events[0][1])
    assert {key: judged[key] for key in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("name", OPENED)
def test_closed_products_are_who_they_are(name: str) -> None:
    """A product that rejects an unknown called AE title is known by its answer to its own."""
    events = of_case("03")[name]
    (judged,) = judge([row_of(events)], events[0][1])
    assert {key: judged[key] for key in OPENED[name]} == OPENED[name]


def test_every_captured_answer_is_whose_it_is() -> None:
    """In all captured conversations like ours, an acceptance is named as its product or not at all, a rejection not at all."""
    results = trials.said(RULES)
    assert [one.answer.capture for one in results if one.wrongly_named] == []
    assert [one.answer.capture for one in results if one.rules and one.answer.row["contexts"] is None] == []
    known = {
        trials.product_of(name).name
        for name, who in (EXPECTED | OPENED).items()
        if who.get("toolkit") or who.get("product")
    }
    assert {one.answer.product.name for one in results if one.rules} >= known - {"dicompot"}


def test_no_capture_is_judged_without_a_reason() -> None:
    """No capture is a mismatch, and none but the honeypot's has a suspicion, which is right: it is one."""
    results = trials.said(RULES)
    assert [one.answer.capture for one in results if one.match.mismatch] == []
    assert {one.answer.product.name for one in results if one.suspicions} == {"dicompot"}
    assert all(
        one.suspicions for one in results if one.answer.product.honeypot and one.answer.row["contexts"] is not None
    )


#: Rules whose evidence says that only some captures show what they look at, or none, and the beginnings of these captures' names.
ALONE: dict[str, tuple[str, ...]] = {
    "context-not-proposed": (),
    "transfer-syntax-not-proposed": (),
    "protocol-version-odd": (),
    "application-context-odd": (),
    "reserved-fields-set": (),
    "refuses-what-was-not-sent": (),
    "dicomhawk-default": (),
    "class-uid-missing": ("honeypot-dicompot",),
    "echo-without-sop-class": ("honeypot-dicompot",),
    "dcmqrscp-order": ("dcmtk-dcmqrscp",),
    "pydcm": ("pydcm",),
    "pynetdicom2-spaces": ("pynetdicom2",),
}
CLAIMS = re.compile(r"\b(only|alone|no captured|no product)\b")
#: Rules whose evidence has these words about something else than captures.
OF_SOURCES = {"pydicom", "go-netdicom"}


def test_who_is_said_to_be_alone_is() -> None:
    """Of all captures, those and only those that a rule's evidence names show what the rule looks at."""
    results = trials.said(RULES)
    found = (trials.suspicions(RULES, results), trials.identities(RULES, results), trials.behaviours(RULES))
    shown = {id: trial.right | trial.wrong for part in found for id, trial in part.items()}
    for id, alone in ALONE.items():
        assert all(capture.startswith(alone or "?") for capture in shown[id]), (id, shown[id])
        assert bool(shown[id]) == bool(alone), id
    rules = (*RULES.suspicions, *RULES.behaviours, *RULES.identity_rules)
    assert {rule.id for rule in rules if CLAIMS.search(rule.evidence)} - OF_SOURCES <= set(ALONE)


@pytest.mark.parametrize("product", trials.products(), ids=lambda product: product.name)
def test_a_product_that_nobody_captured_is_not_accused(product: trials.Product) -> None:
    """Without a product's captures and the rules that only they show, none of its servers is doubted as a trap or mismatched."""
    rules = trials.without(RULES, product)
    results = [one for one in trials.said(rules) if one.answer.product is product]
    assert results
    assert [one.answer.capture for one in results if one.match.mismatch or set(one.suspicions) & ACCUSING] == []


@pytest.mark.parametrize("product", trials.products(), ids=lambda product: product.name)
def test_a_product_under_an_unknown_name_is_not_accused(product: trials.Product) -> None:
    """Without any rule that names a product or its toolkit, its servers are nobody's, and no honest one is accused."""
    named = {rule.id for rule in RULES.identity_rules if product.implementations & {rule.toolkit, rule.product}}
    rules = trials.reduced(RULES, named, (), ())
    results = [one for one in trials.said(rules) if one.answer.product is product]
    assert not any(one.identity.names for one in results)
    assert product.honeypot or not any(one.match.mismatch or set(one.suspicions) & ACCUSING for one in results)


def test_a_sound_request_is_never_refused_as_an_unsound_one() -> None:
    """Rejections for protocol version or application context occur only with unusual requests; in answer to ours they are suspect."""
    refused: dict[str, set[str]] = {}
    for fixture in FIXTURES:
        events = packets(fixture)
        if events[0][1][0] == 1:
            features = feature.of(row_of(events), offer.offer(events[0][1]))
            raised = suspicion.raised_suspicions(RULES.suspicions, features)
            names = {name(fixture)} if "refuses-what-was-not-sent" in raised else set()
            refused.setdefault(fixture["case"][:2], set()).update(names)
    assert {number for number, names in refused.items() if names} == {"09", "10", "11", "12", "13"}
    assert len(refused["09"]) >= 8


def test_our_own_identity_returned_is_no_declaration() -> None:
    """Conquest returns our own identity when a request has no contexts: that names nobody, and raises no doubt."""
    events = of_case("14")["conquest-1.5.0"]
    (judged,) = judge([row_of(events)], events[0][1])
    assert (judged["class_uid_reflected"], judged["version_name_reflected"]) == (True, True)
    assert [judged[key] for key in ("class_uid_root", "class_uid_hash", "identity_rule", "toolkit")] == [None] * 4
    assert judged["suspicions"] == []


def test_confidence_is_beside_what_is_said() -> None:
    """An identity, a mismatch and each suspicion carry the captures that their rule was tried on and got wrong."""
    tried = RULES.trials
    names = ("honeypot-dicompot", "dcmtk-storescp-3.6.7")
    honeypot, dcmtk = (judge([row_of(of_case("01")[name])], of_case("01")[name][0][1])[0] for name in names)
    assert [honeypot[key] for key in ("identity_tried", "mismatch_tried")] == [None, None]
    expected = [(tried.suspicion[id].tried, tried.suspicion[id].wrong) for id in honeypot["suspicions"]]
    assert list(zip(honeypot["suspicions_tried"], honeypot["suspicions_wrong"], strict=True)) == expected
    assert (dcmtk["identity_tried"], dcmtk["identity_wrong"]) == (tried.identity["dcmtk"].tried, 0)
    assert dcmtk["identity_tried"] >= 8 and dcmtk["mismatch_tried"] is None


def disguised(uid: bytes, name: bytes) -> list[tuple[str, bytes]]:
    """pynetdicom's captured acceptance with another name, as DICOMHawk sends it."""
    (sent, request), (received, answer) = of_case("01")["pynetdicom-3.0.4-default"][:2]
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
            ["dcmtk-explicit", "dcmtk-implicit", "dcmtk-print"],
            ["dicomhawk-default", "pynetdicom-borrowed-name"],
        ),
        (b"1.2.840.113619.6.96", b"GE_PACS_REV_24", None, [], ["dicomhawk-disguise"]),
        (b"1.3.12.2.1107.5.2", b"syngo CT VA48A", None, [], ["dicomhawk-disguise"]),
        (b"1.3.12.2.1107.5.2", b"MR_VB19A", None, [], ["pynetdicom-borrowed-name"]),
        (b"1.2.840.113845.1.1", b"Syn7,3,0,1", None, [], ["pynetdicom-borrowed-name"]),
        (b"1.2.826.0.1.3680043.9.7433.1.1", b"highdicom 0.27", "highdicom", [], []),
        (b"2.25.123456789", b"PYNETDICOM_304", "pynetdicom", [], []),
        (b"1.2.840.113619.6.500", b"AN_AI_PRODUCT", None, [], []),
        (b"1.2.3.4", b"OUR_PACS", None, [], []),
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
    conversations = [of_case("01")[name] for name in ("dcmtk-storescp-3.6.7", "pynetdicom-3.0.4-default")]
    rows = [row_of(conversations[n % 2], ip=HOST + 256 * n) for n in range(40)]
    judged = judge(rows, conversations[0][0][1], space=Ranges.of([(HOST & ~255, (HOST | 255) + 256 * 40)]))
    assert [row["toolkit"] for row in judged] == ["DCMTK", "pynetdicom"] * 20
    assert [row["ip"] for row in judged] == [row["ip"] for row in rows]
    assert len(judged_rows) == 2


def test_a_fleet_in_a_prefix_is_suspected() -> None:
    """Sixteen addresses of a /24 with the same bytes raise a suspicion, fifteen do not; all stay in the table."""
    events = of_case("01")["orthanc-1.10.1-default"]
    for size, expected in ((15, []), (16, ["prefix-same-reply"])):
        judged = judge([row_of(events, ip=HOST + n) for n in range(size)], events[0][1])
        assert [row["suspicions"] for row in judged] == [expected] * size


def test_nothing_is_judged_of_nothing() -> None:
    """A sweep without an association has an empty table."""
    assert judge([], OUTGOING.request) == []
