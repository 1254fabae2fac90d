"""Behaviour, compared with known behaviours and with the declared identity."""

from typing import Any

import pytest

from pipeline.enrich import behaviour, ruleset
from pipeline.enrich.behaviour import BehaviourMatch

RULES = ruleset.load()
FULL = "51 52 55"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DCMTK = ("1.2.276.0.7230010.3.0.3.6.2", "OFFIS_DCMTK_362")


def match(uid: str | None, name: str | None, **features: Any) -> BehaviourMatch:
    seen = {"class_uid": uid, "version_name": name, "sub_items": FULL} | features
    return behaviour.match(RULES.behaviours, seen, RULES.identities.of(seen))


def test_declared_and_shown_agree() -> None:
    """An answer that shows any known behaviour of its declared implementation is not a mismatch."""
    assert match(*DCMTK, transfer_syntax=EXPLICIT, max_pdu=16384) == BehaviourMatch(("dcmtk-explicit",), (), None)
    assert match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16384).mismatch == ()


def test_another_body_is_a_mismatch() -> None:
    """DCMTK's name with pynetdicom's behaviour contradicts what is known of DCMTK and could be seen, and shows pynetdicom."""
    result = match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert (result.rules, result.another) == (("pynetdicom",), "pynetdicom")
    assert result.mismatch == ("dcmtk-explicit", "dcmtk-implicit", "dcmtk-print")


def test_only_what_was_asked_is_compared() -> None:
    """Behaviours of the profile `capabilities` are listed as a mismatch only where it was asked for."""
    asked = match(
        *DCMTK, transfer_syntax=IMPLICIT, max_pdu=16382, accepted_roles="verification", contexts_in_order=True
    )
    assert asked.mismatch == tuple(rule.id for rule in RULES.behaviours if rule.implementation == "DCMTK")


@pytest.mark.parametrize("max_pdu", [0, 4096, 28672, 32768, 131072])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("declared", [DCMTK, ("1.2.826.0.1.3680043.9.3811.1.5.7", "PYNETDICOM_157")])
def test_configuration_is_no_mismatch(declared: tuple[str, str], syntax: str, max_pdu: int) -> None:
    """A maximum PDU or transfer syntax that an operator may configure, or another version has, is no mismatch."""
    result = match(*declared, transfer_syntax=syntax, max_pdu=max_pdu)
    assert (result.mismatch, result.another) == ((), None)


def test_a_library_under_its_own_name_is_no_mismatch() -> None:
    """A product on pynetdicom that declares pydicom's identity, or keeps the version name alone, is not another."""
    names = [
        ("1.2.826.0.1.3680043.8.498.1", "PYDICOM 3.0.1"),
        ("1.9.9", "PYNETDICOM_304"),
        ("1.2.840.113619.6.500", "AI_1"),
    ]
    results = [match(*name, transfer_syntax=IMPLICIT, max_pdu=16382) for name in names]
    assert [(result.mismatch, result.another) for result in results] == [((), None)] * 3


def test_what_was_not_seen_contradicts_nothing() -> None:
    """A rejection shows no behaviour and contradicts none."""
    assert match(*DCMTK, sub_items=None, reject="1/1/1") == BehaviourMatch((), (), None)


@pytest.mark.parametrize("uid", ["1.9.9.9", None])
def test_unknown_names(uid: str | None) -> None:
    """An unknown name with a known behaviour borrows nobody's: the product may be built on that library."""
    result = match(uid, None, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert result == BehaviourMatch(("pynetdicom",), (), None)


def test_a_shared_behaviour_names_nobody() -> None:
    """A behaviour that several implementations share identifies none of them."""
    result = match("1.9.9.9", None, transfer_syntax=IMPLICIT, max_pdu=16384)
    assert set(result.rules) == {"dcmtk-implicit", "ctn"} and result.another is None


def test_products_on_a_toolkit_behave_like_it() -> None:
    """Enterprise Imaging, which is built on dcm4che, is not a mismatch."""
    result = match("1.2.40.0.13.1.3", "EntImaging-8.3.2", transfer_syntax=IMPLICIT, max_pdu=16378)
    assert result == BehaviourMatch(("dcm4che",), (), None)
