"""Features of an answer, and those that were not observed."""

from typing import Any

import pytest

from pipeline.enrich import feature
from pipeline.enrich.offer import Offer
from pipeline.wire.capabilities import PROPOSALS, context_id
from tests.captures import of_case

VERIFICATION, FIND = {"abstract_syntax": "1.2.840.10008.1.1"}, {"abstract_syntax": "1.2.840.10008.5.1.4.1.2.2.1"}
#: All contexts of the profile `capabilities`, refused.
REFUSED = [
    {"id": context_id(at), "abstract_syntax": each.uid, "result": 3, "transfer_syntax": ""}
    for at, each in enumerate(PROPOSALS)
]
#: An A-ASSOCIATE-AC without items.
ACCEPT = bytes.fromhex("020000000044 0001 0000") + bytes(64)
ECHOED = {"called_ae_echoed": True, "calling_ae_echoed": True}
#: C-ECHO responses of pynetdicom and pynetdicom2.
ECHO, EMPTY = (
    next(data for kind, data in of_case("01")[name] if kind == "recv" and data[0] == 4)
    for name in ("pynetdicom-3.0.4-default", "pynetdicom2-0.9.8")
)
OFFER = Offer({1: ("ILE", "ELE"), 3: ("ILE",)}, "app", 16383, "1.2.3", "CENSUS")


def context(id: int, result: int = 0, transfer_syntax: str = "ILE") -> dict[str, Any]:
    return {"id": id, "result": result, "transfer_syntax": transfer_syntax}


@pytest.mark.parametrize(
    ("row", "name", "expected"),
    [
        ({"contexts": [context(3), context(1, 0, "ELE")]}, "transfer_syntax", "ELE"),
        ({"contexts": [context(1, 3), context(3), context(9)]}, "transfer_syntax", None),
        ({"max_pdu": 16383}, "max_pdu_mirrored", True),
        ({"max_pdu": 16384}, "max_pdu_mirrored", False),
        ({"item_order": [0x10, 0x21, 0x50, 0x51, 0x52]}, "sub_items", "51 52"),
        ({"contexts": [context(1), context(3)]}, "contexts_in_order", True),
        ({"contexts": [context(3), context(1)]}, "contexts_in_order", False),
        ({"contexts": [context(1)]}, "contexts_in_order", None),
        ({"contexts": [context(1), context(5)]}, "contexts_in_order", None),
        ({"contexts": [*REFUSED, context(1) | VERIFICATION]}, "accepted_roles", "verification"),
        (
            {"contexts": [context(17) | FIND, *REFUSED, context(1) | VERIFICATION]},
            "accepted_roles",
            "query verification",
        ),
        ({"contexts": REFUSED}, "accepted_roles", ""),
        ({"contexts": [context(1) | VERIFICATION, context(17) | FIND]}, "accepted_roles", None),
        ({"protocol_version": 1}, "protocol_version_1", True),
        ({"protocol_version": 2}, "protocol_version_1", False),
        ({"contexts": [], "application_context": "app"}, "application_context_ours", True),
        ({"contexts": []}, "application_context_ours", False),
        ({"rj_result": 1, "rj_source": 1, "rj_reason": 7}, "reject", "1/1/7"),
        ({"abort_source": 0, "abort_reason": 2}, "abort", "0/2"),
        ({"close_kind": "peer_fin", "close_stage": "echo"}, "close", "peer_fin/echo"),
        ({"contexts": []}, "class_uid_declared", False),
        ({"implementation_class_uid": "1.2.3"}, "own_class_uid", True),
        ({"implementation_version_name": "x"}, "own_version_name", False),
        ({"called_ae_echoed": True, "calling_ae_echoed": False}, "titles_echoed", False),
        ({"contexts": [context(7)]}, "context_unproposed", True),
        ({"contexts": [context(7, 3)]}, "context_unproposed", False),
        ({"contexts": [context(3, 0, "ELE")]}, "transfer_syntax_unproposed", True),
        ({"contexts": [context(1, 0, "ELE")]}, "transfer_syntax_unproposed", False),
        ({"echo_elements": [0x0000, 0x0002, 0x0900]}, "echo_elements", "0000 0002 0900"),
        ({"echo_elements": [0x0000, 0x0002, 0x0900]}, "echo_sop_class", True),
        ({"echo_elements": [0x0000, 0x0900]}, "echo_sop_class", False),
        ({"raw": ACCEPT + ECHO, "echo_elements": [0x0000, 0x0002, 0x0900]}, "echo_sop_class_empty", False),
        ({"raw": ACCEPT + EMPTY, "echo_elements": [0x0000, 0x0002, 0x0900]}, "echo_sop_class_empty", True),
        ({"raw": ACCEPT + EMPTY, "echo_elements": [0x0000, 0x0900]}, "echo_sop_class_empty", None),
        (ECHOED | {"raw": ACCEPT[:10] + b"ANY-SCP".ljust(16) + b"US".ljust(16)}, "titles_nul_padded", False),
        (
            ECHOED | {"raw": ACCEPT[:10] + b"ANY-SCP".ljust(16, b"\0") + b"US".ljust(16, b"\0")},
            "titles_nul_padded",
            True,
        ),
        ({"called_ae_echoed": True, "calling_ae_echoed": False, "raw": ACCEPT}, "titles_nul_padded", None),
        ({"raw": ACCEPT, "contexts": []}, "reserved_set", False),
        *(
            ({"raw": ACCEPT[:at] + b"\1" + ACCEPT[at + 1 :], "contexts": []}, "reserved_set", True)
            for at in (1, 8, 9, 42, 73)
        ),
        ({"raw": ACCEPT[:10] + b"\1" + ACCEPT[11:], "contexts": []}, "reserved_set", False),
        ({"raw": bytes.fromhex("03000000000400010107")}, "reserved_set", None),
    ],
)
def test_features(row: dict[str, Any], name: str, expected: object) -> None:
    """Each feature is read from its columns and from our offer."""
    assert feature.of(row, OFFER)[name] == expected


def test_nothing_is_observed_of_nothing() -> None:
    """A row without any of the columns, as an older program may have written, has no feature."""
    assert set(feature.of({}, OFFER).values()) == {None}


def test_features_have_the_type_they_say() -> None:
    """Each value is of the feature's declared type."""
    row = {"contexts": [context(1)], "item_order": [16], "max_pdu": 1, "rj_result": 1, "rj_source": 1, "rj_reason": 1}
    for name, value in feature.of(row, OFFER).items():
        assert value is None or type(value) is feature.FEATURES[name].kind
