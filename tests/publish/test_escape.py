"""Peers' strings, made harmless."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish import escape
from pipeline.untrusted.visible import visible


@given(st.text(alphabet=st.characters(categories=["L", "N"])))
def test_plain_text_is_left_alone(text: str) -> None:
    """Letters and digits of any script pass unchanged, in every destination."""
    assert visible(text) == escape.csv_cell(text) == escape.markdown(text) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r@"])
def test_formulas_do_not_start_a_cell(start: str) -> None:
    """A text that a spreadsheet would evaluate starts with an apostrophe, or with the code of its hidden character."""
    assert str(escape.csv_cell(start + "1"))[0] in "'\\"


def test_numbers_stay_numbers() -> None:
    """Negative numbers, nulls and Booleans are unchanged."""
    assert [escape.csv_cell(value) for value in (-1, -0.5, None, True)] == [-1, -0.5, None, True]


@given(st.text(min_size=escape.LONGEST + 1))
def test_long_texts_are_cut(text: str) -> None:
    """A text longer than the limit is cut, and ends with its full length."""
    cut = escape.shown(text)
    assert cut.startswith(visible(text[: escape.LONGEST])) and cut.endswith(f"… ({len(text):,} characters)")


@pytest.mark.parametrize(
    "text", ["OFFIS_DCMTK_367", "dcm4che-5.29.2", "1.2.276.0.7230010", "(withheld: why)", "a 5 % + b"]
)
def test_plain_names_can_be_read_in_markdown(text: str) -> None:
    """A version name of a known product is unchanged: characters without a meaning within a line are not escaped."""
    assert escape.markdown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<b>",
        "[a](b)",
        "![a](b)",
        "*a*",
        "_a_",
        "`a`",
        "a|b",
        "~~a~~",
        "&amp;",
        "http://a",
        "www.a",
        "a@b",
        "#1",
        "$a$",
        ":x:",
        "\\a",
    ],
)
def test_markdown_of_peers_has_no_meaning(text: str) -> None:
    """Emphasis, code, links, HTML, cells, mentions and emoji become text with entities."""
    escaped = escape.markdown(text)
    assert "&#" in escaped and re.sub(r"&#(\d+);", lambda code: chr(int(code[1])), escaped) == text
