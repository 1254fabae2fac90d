"""The letter of a hand-over."""

from pipeline.notify import letter
from tests.notify.exposed import edition


def test_it_says_what_is_left_out_but_not_who_waits() -> None:
    """The letter has the counts of honeypots and opt-outs, and no word of an experiment: who is told must not know."""
    text = letter.write(edition(6)).decode()
    assert "Services:   6" in text and "3 services that look like honeypots" in text and "2 services in ranges" in text
    assert (
        "high:           2" in text and "census@example.org" in text and "experiment" not in text and "wait" not in text
    )
    assert "20.0.0" not in text
