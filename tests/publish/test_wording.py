"""How numbers and lists are written."""

import pytest

from pipeline.publish import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (1234567, "1,234,567"),
        (1234.6, "1,235"),
        (6.1, "6.10"),
        (150.0, "150"),
        (0.00042, "0.000420"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    """Whole numbers have thousands separators, fractions three digits, and null is a dash."""
    assert wording.number(value) == text


def test_lists() -> None:
    """Two parts are joined by a word, three by commas too; a share has one decimal."""
    assert [wording.listed(list(text)) for text in ("a", "ab", "abc")] == ["a", "a and b", "a, b, and c"]
    assert wording.percent(0.12345) == "12.3 %"
