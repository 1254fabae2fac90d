"""Suspicions: each is raised by its conditions."""

from typing import Any

import pytest

from pipeline.enrich import ruleset, suspicion

RULES = ruleset.load().suspicions
BARE = "51"
#: Suspicion → features that raise it; True if they raise only this one.
RAISED: dict[str, tuple[dict[str, Any], bool]] = {
    "dicompot": ({"max_pdu": 4194304, "sub_items": BARE, "same_reply_ports": 1}, True),
    "dicompot-two-ports": ({"max_pdu": 4194304, "sub_items": BARE, "same_reply_ports": 2}, False),
    "dicomhawk-default": (
        {"class_uid": "1.2.276.0.7230010.3.0.3.6.2", "version_name": "OFFIS_DCMTK_362", "max_pdu": 16382},
        True,
    ),
    "dicomhawk-disguise": (
        {"class_uid": "1.2.840.113619.6.96", "version_name": "GE_PACS_REV_24", "max_pdu": 16382},
        True,
    ),
    "pynetdicom-borrowed-name": ({"behaves_like_another": "pynetdicom"}, True),
    "prefix-answers-everything": ({"prefix_answering": 230, "prefix_answering_share": 0.9}, True),
    "prefix-answers-control": ({"prefix_controls": 2}, True),
    "prefix-same-reply": ({"prefix_same_reply": 16}, True),
    "context-not-proposed": ({"context_unproposed": True}, True),
    "refuses-what-was-not-sent": ({"reject": "2/1/2"}, True),
    "transfer-syntax-not-proposed": ({"transfer_syntax_unproposed": True}, True),
    "max-pdu-tiny": ({"max_pdu": 127}, True),
    "max-pdu-huge": ({"max_pdu": 2**32 - 1}, True),
    "class-uid-missing": ({"class_uid_declared": False}, True),
    "protocol-version-odd": ({"protocol_version_1": False}, True),
    "application-context-odd": ({"application_context_ours": False}, True),
    "reserved-fields-set": ({"reserved_set": True}, True),
    "echo-without-sop-class": ({"echo_sop_class": False}, True),
}
#: What honest captured products do: pydcm and dicom-ai-router declare no limit, pynetdicom2 returns our identity, Conquest aborts as
#: service user with a reason, a Siemens scanner declares the bare arc, Synapse what a honeypot's profile copies.
HONEST_ODDITIES: list[dict[str, Any]] = [
    {"max_pdu": 0},
    {"own_class_uid": True, "own_version_name": True, "titles_nul_padded": True},
    {"abort": "0/1"},
    {"class_uid": "1.3.12.2.1107.5.2", "version_name": "MR_2004V_VB11A", "max_pdu": 262144},
    {"class_uid": "1.2.840.113845.1.1", "version_name": "Syn7,3,0,1", "max_pdu": 65000},
]
HONEST = {"max_pdu": 16384, "abort": "0/0", "class_uid_declared": True, "titles_echoed": False, "reserved_set": False}
ALMOST = {
    "prefix_answering": 31,
    "prefix_answering_share": 1.0,
    "prefix_controls": 1,
    "prefix_same_reply": 15,
    "same_reply_ports": 2,
}


def test_every_suspicion_has_an_example() -> None:
    """Each rule of the file is in the table of this test."""
    assert [rule.id for rule in RULES] == list(RAISED)


@pytest.mark.parametrize("id", RAISED)
def test_suspicions_are_raised(id: str) -> None:
    """Each suspicion is raised by its example."""
    features, alone = RAISED[id]
    raised = suspicion.raised_suspicions(RULES, features)
    assert raised == (id,) if alone else id in raised


def test_honest_answers_raise_none() -> None:
    """An ordinary answer among a few like it raises none, and neither does an empty one."""
    assert suspicion.raised_suspicions(RULES, HONEST | ALMOST) == suspicion.raised_suspicions(RULES, {}) == ()


@pytest.mark.parametrize("features", HONEST_ODDITIES)
def test_what_honest_products_do_is_no_reason(features: dict[str, Any]) -> None:
    """What an honest product was seen to do raises no suspicion."""
    assert suspicion.raised_suspicions(RULES, features) == ()
