"""The rules that give an audit its reasons."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.publish import advice
from pipeline.publish.advice import FACTS, RANK

GOOD = """
[[advice]]
id = "one"
severity = "low"
title = "t"
why = "w"
do = "d"
source = "s"
when = { dicom = true }
"""


def test_the_rules_are_sound() -> None:
    """Each rule of the file loads, the most severe first, and every DICOM service and every other answer gets a finding."""
    ranks = [RANK[rule.severity] for rule in advice.load()]
    assert ranks == sorted(ranks) and len(ranks) > 15
    assert "reachable" in {rule.id for rule in advice.of({"dicom": True, "outcome": "aborted"})}
    assert [rule.id for rule in advice.of({"dicom": False, "outcome": "silent"})] == ["port-open"]
    assert advice.of({}) == ()


def test_every_fact_is_asked_for() -> None:
    """Every fact that a rule may test is tested by some rule."""
    assert {name for rule in advice.load() for name in rule.when} == set(FACTS)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("dicom = true", "colour = true", "is not a fact"),
        ("dicom = true", "dicom = 1", "must be of type bool"),
        ("{ dicom = true }", "{}", "is empty"),
        ('"w"', '""', "key why"),
        ('"low"', '"dire"', "severity"),
        ('id = "one"', 'id = "One!"', "a-z"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """A rule with an impossible condition, an empty text or a misspelt value is refused with its id and key."""
    path = tmp_path / "advice.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=reason):
        advice.load(path)


def test_an_id_comes_once(tmp_path: Path) -> None:
    """Two rules with the same id are refused."""
    path = tmp_path / "advice.toml"
    path.write_text(GOOD * 2)
    with pytest.raises(InputError, match="is listed twice"):
        advice.load(path)
