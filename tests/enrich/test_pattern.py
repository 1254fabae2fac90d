"""Patterns that hostile text cannot make slow."""

import re
from re import _constants as codes
from re import _parser as syntax
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import pattern, ruleset
from pipeline.errors import InputError

RULES = [rule for rule in ruleset.load().identity_rules if rule.version_name]


def steps(parsed: Any, text: str, at: int) -> tuple[list[int], int]:
    """Match like a backtracking engine, trying every way: where each way ends, and how many steps it took."""
    ends, taken = [at], 0
    for kind, value in parsed:
        reached: list[int] = []
        for end in ends:
            more, cost = one(kind, value, text, end)
            reached += more
            taken += cost
        ends = reached
    return ends, taken


def one(kind: Any, value: Any, text: str, at: int) -> tuple[list[int], int]:
    if kind == codes.AT:
        fits = at == 0 if value == codes.AT_BEGINNING else at == len(text)
        return [at] * fits, 1
    if kind == codes.SUBPATTERN:
        return steps(value[-1], text, at)
    if kind == codes.MAX_REPEAT:
        least, most, repeated = value
        run = 0
        while run < most and at + run < len(text) and single(repeated, text[at + run]):
            run += 1
        return [at + size for size in range(least, run + 1)], run + 1
    return [at + 1] * (at < len(text) and single([(kind, value)], text[at])), 1


def single(parsed: Any, char: str) -> bool:
    built = syntax.SubPattern(syntax.State(), list(parsed))
    return re._compiler.compile(built, re.ASCII).fullmatch(char) is not None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_text_is_slow(rule: Any) -> None:
    """The number of steps grows at most with the cube of the input's length, whatever its characters."""
    parsed = syntax.parse(rule.version_name, re.ASCII)
    literal = re.sub(r"\(.*|\[.*|\\.*", "", rule.version_name.removeprefix("^"))
    for char in "0A._ /,-":
        for size in (8, 32, pattern.TEXT_LIMIT):
            text = (literal + char * size)[: pattern.TEXT_LIMIT] + "!"
            assert steps(parsed, text, 0)[1] <= len(text) ** 3 / 6 + 10 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        "^(a+)+$",
        "^(?:a|aa)*$",
        "^(a*)*$",
        "^(?:ab)+$",
        r"^(.)\1$",
        "^a*b*c*$",
        "^(?=a)a$",
        "^a|b$",
        "a+",
        "^a",
        "^($",
        "^a{2,1}$",
        "^a*?$",
    ],
)
def test_unsafe_patterns_are_refused(text: str) -> None:
    """Nested, grouped, backreferencing, branching, unanchored, broken and too open-ended patterns are refused, with their place."""
    with pytest.raises(InputError, match="here: "):
        pattern.compiled(text, "here")


def test_a_long_text_never_matches() -> None:
    """A text beyond the limit is not matched at all."""
    regex = pattern.compiled("^a*$", "here")
    assert pattern.fullmatch(regex, "a" * pattern.TEXT_LIMIT)
    assert not pattern.fullmatch(regex, "a" * (pattern.TEXT_LIMIT + 1))


@given(st.text(max_size=200))
def test_any_text_may_come(text: str) -> None:
    """Any text either matches a known name or does not."""
    for rule in RULES:
        found = pattern.fullmatch(re.compile(rule.version_name, re.ASCII), text)
        assert found is None or found[0] == text


def test_lines_and_other_digits_do_not_match() -> None:
    """A final line break and digits of other scripts are not part of a version."""
    regex = pattern.compiled(r"^V\d$", "here")
    assert pattern.fullmatch(regex, "V1")
    assert not any(pattern.fullmatch(regex, text) for text in ("V1\n", "V\u0661"))
