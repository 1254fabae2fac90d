"""Conditions on features."""

from pathlib import Path

import pytest

from pipeline.enrich import rule
from pipeline.enrich.rule import Condition, EvidenceGrade, NumberRange
from pipeline.errors import InputError


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        (5, 5, True),
        (5, 6, False),
        ([5, 6], 6, True),
        (True, False, False),
        (False, None, False),
        (NumberRange(min=2), 2, True),
        (NumberRange(min=2, max=3), 3.5, False),
        (NumberRange(), "x", False),
        ("a", frozenset({"a", "b"}), True),
        ("c", frozenset({"a", "b"}), False),
    ],
)
def test_conditions(wanted: Condition, seen: object, expected: bool) -> None:
    """A condition is a value, one of several, or a range of numbers; an unobserved feature never meets one."""
    assert rule.matches(wanted, seen) is expected


def test_rules_need_all_and_contradictions_one() -> None:
    """A rule matches if all conditions are met; an observed violation contradicts it, an unobserved feature never does."""
    when: rule.Conditions = {"max_pdu": 5, "sub_items": "10"}
    assert rule.fits(when, {"max_pdu": 5, "sub_items": "10"})
    assert not rule.fits(when, {"max_pdu": 5}) and not rule.contradicts(when, {"max_pdu": 5})
    assert rule.contradicts(when, {"max_pdu": 6}) and not rule.contradicts(when, {})


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({}, "must name a feature"),
        ({"speed": 1}, "is not a feature"),
        ({"max_pdu": "1"}, "type int"),
        ({"max_pdu": True}, "type int"),
        ({"max_pdu": []}, "type int"),
        ({"sub_items": NumberRange(min=1)}, "type str"),
    ],
)
def test_conditions_are_checked(when: rule.Conditions, reason: str) -> None:
    """A condition on an unknown feature, or of another type, is refused with its key."""
    with pytest.raises(InputError, match=f"here.toml, id r, key when.*{reason}"):
        rule.check_conditions(Path("here.toml"), "r", when)


def test_grades_are_ranked() -> None:
    """Grades go from seen to not verified, and the weak ones do not count as evidence."""
    assert sorted(EvidenceGrade, key=rule.RANK.__getitem__) == list(EvidenceGrade)
    assert set(EvidenceGrade) - set(rule.EVIDENCED) == {EvidenceGrade.FILES, EvidenceGrade.UNVERIFIED}
