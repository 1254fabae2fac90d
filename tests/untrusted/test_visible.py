"""Text from anywhere is shown as it reads."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.untrusted import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ü and 日本", "plain, ü and 日本"),
        ("\x1b[31mred\x07\x00", "\\x1b[31mred\\x07\\x00"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("\x9b31m\U000e0041", "\\x9b31m\\U000e0041"),
        ("non\xa0breaking", "non\xa0breaking"),
    ],
)
def test_hidden_characters_are_codes(text: str, shown: str) -> None:
    """Controls, formats and the like are written as their codes; what is seen stays as it is."""
    assert visible.visible(text) == shown


def test_lines_stay() -> None:
    """Only the ends of lines stay in text of several lines."""
    assert visible.lines("a\n\x1b[2Jb\r\n") == "a\n\\x1b[2Jb\\x0d\n"


def test_every_character() -> None:
    """No character of a hidden category is left, whatever stands beside it."""
    hidden = (chr(number) for number in range(0x110000) if unicodedata.category(chr(number)) in visible.HIDDEN)
    assert visible.visible("".join(hidden)).isprintable()


@given(st.text())
def test_visible_text_has_nothing_hidden(text: str) -> None:
    """Each character of the result is visible, whatever the input is."""
    assert not {unicodedata.category(char) for char in visible.visible(text)} & visible.HIDDEN
