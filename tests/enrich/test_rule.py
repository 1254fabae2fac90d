"""Conditions over features."""

from pathlib import Path

import pytest

from pipeline.enrich import rule
from pipeline.enrich.rule import Grade, Span, Wanted
from pipeline.errors import InputError


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        (5, 5, True),
        (5, 6, False),
        ([5, 6], 6, True),
        (True, False, False),
        (False, None, False),
        (Span(min=2), 2, True),
        (Span(min=2, max=3), 3.5, False),
        (Span(), "x", False),
        ("a", frozenset({"a", "b"}), True),
        ("c", frozenset({"a", "b"}), False),
    ],
)
def test_conditions(wanted: Wanted, seen: object, expected: bool) -> None:
    """A value, one of several, a span; what was not seen never holds."""
    assert rule.holds(wanted, seen) is expected


def test_rules_need_all_and_contradictions_one() -> None:
    """A rule fits if all holds; it is contradicted by one thing seen otherwise, never by one not seen."""
    when: rule.When = {"max_pdu": 5, "sub_items": "10"}
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
        ({"sub_items": Span(min=1)}, "type str"),
    ],
)
def test_conditions_are_checked(when: rule.When, reason: str) -> None:
    """A condition over an unknown feature, or of another type than it, is refused with its key."""
    with pytest.raises(InputError, match=f"here.toml, id r, key when.*{reason}"):
        rule.check_when(Path("here.toml"), "r", when)


def test_grades_are_ranked() -> None:
    """Grades go from seen to not verified, and the weak ones are no evidence."""
    assert sorted(Grade, key=rule.RANK.__getitem__) == list(Grade)
    assert set(Grade) - set(rule.EVIDENCED) == {Grade.FILES, Grade.UNVERIFIED}
