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
    return behaviour.match(RULES.behaviours, seen, RULES.identities.match(uid, name))


def test_declared_and_shown_agree() -> None:
    """An answer that shows any known behaviour of its declared implementation is not a mismatch."""
    assert match(*DCMTK, transfer_syntax=EXPLICIT, max_pdu=16384) == BehaviourMatch(("dcmtk-explicit",), (), None)
    assert match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16384).mismatch == ()


def test_another_body_is_a_mismatch() -> None:
    """DCMTK's name with pynetdicom's behaviour contradicts all known behaviours of DCMTK, and shows pynetdicom."""
    result = match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert (result.rules, result.another) == (("pynetdicom",), "pynetdicom")
    assert result.mismatch == tuple(rule.id for rule in RULES.behaviours if rule.implementation == "DCMTK")


def test_what_was_not_seen_contradicts_nothing() -> None:
    """A rejection shows no behaviour and contradicts none."""
    assert match(*DCMTK, sub_items=None, reject="1/1/1") == BehaviourMatch((), (), None)


@pytest.mark.parametrize("uid", ["1.9.9.9", None])
def test_unknown_names(uid: str | None) -> None:
    """An unknown name with a known behaviour counts as another implementation; no name at all does not."""
    result = match(uid, None, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert result.mismatch == () and result.another == ("pynetdicom" if uid else None)


def test_a_shared_behaviour_names_nobody() -> None:
    """A behaviour that several implementations share identifies none of them."""
    result = match("1.9.9.9", None, transfer_syntax=IMPLICIT, max_pdu=16384)
    assert set(result.rules) == {"dcmtk-implicit", "ctn"} and result.another is None


def test_products_on_a_toolkit_behave_like_it() -> None:
    """Enterprise Imaging, which is built on dcm4che, is not a mismatch."""
    result = match("1.2.40.0.13.1.3", "EntImaging-8.3.2", transfer_syntax=IMPLICIT, max_pdu=16378)
    assert result == BehaviourMatch(("dcm4che",), (), None)
