"""The texts that people read, over the whole tree: plain English."""

from tools import texts


def test_no_odd_phrases() -> None:
    """No text has a phrase of the lint's table."""
    assert not [str(phrase) for phrase in texts.phrases()]
