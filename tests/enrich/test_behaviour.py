"""Behaviour against what is known, and against what is declared."""

from typing import Any

import pytest

from pipeline.enrich import behaviour, ruleset
from pipeline.enrich.behaviour import Behaviour

RULES = ruleset.load()
FULL = "51 52 55"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DCMTK = ("1.2.276.0.7230010.3.0.3.6.2", "OFFIS_DCMTK_362")


def match(uid: str | None, name: str | None, **features: Any) -> Behaviour:
    seen = {"class_uid": uid, "version_name": name, "sub_items": FULL} | features
    return behaviour.match(RULES.behaviours, seen, RULES.identities.match(uid, name))


def test_declared_and_shown_agree() -> None:
    """Who behaves as one of the ways known of whom it declares is no mismatch."""
    assert match(*DCMTK, transfer_syntax=EXPLICIT, max_pdu=16384) == Behaviour(("dcmtk-explicit",), (), None)
    assert match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16384).mismatch == ()


def test_another_body_is_a_mismatch() -> None:
    """DCMTK's name over pynetdicom's behaviour contradicts all that is known of DCMTK, and shows whose body it is."""
    found = match(*DCMTK, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert (found.rules, found.another) == (("pynetdicom",), "pynetdicom")
    assert found.mismatch == tuple(rule.id for rule in RULES.behaviours if rule.implementation == "DCMTK")


def test_what_was_not_seen_contradicts_nothing() -> None:
    """A rejection shows no behaviour and contradicts none."""
    assert match(*DCMTK, sub_items=None, reject="1/1/1") == Behaviour((), (), None)


@pytest.mark.parametrize("uid", ["1.9.9.9", None])
def test_unknown_names(uid: str | None) -> None:
    """An unknown name over a known behaviour is another; no name at all is not."""
    found = match(uid, None, transfer_syntax=IMPLICIT, max_pdu=16382)
    assert found.mismatch == () and found.another == ("pynetdicom" if uid else None)


def test_a_shared_behaviour_names_nobody() -> None:
    """What several implementations have in common tells no body."""
    found = match("1.9.9.9", None, transfer_syntax=IMPLICIT, max_pdu=16384)
    assert set(found.rules) == {"dcmtk-implicit", "ctn"} and found.another is None


def test_products_on_a_toolkit_behave_like_it() -> None:
    """Enterprise Imaging on dcm4che is no disguise."""
    found = match("1.2.40.0.13.1.3", "EntImaging-8.3.2", transfer_syntax=IMPLICIT, max_pdu=16378)
    assert found == Behaviour(("dcm4che",), (), None)
