"""The funnel of a report."""

from pipeline.publish import funnel
from tests.publish import demo


def test_a_step_has_its_word_count_and_share() -> None:
    """Each step has a word, a count, a bar and the share of the step before; what was not requested says so and has no bar."""
    steps = funnel.steps(demo.gathered())
    assert [step["label"] for step in steps][:2] == ["probed", "answered our SYN"]
    assert steps[0]["width"] == "100.0" and steps[0]["passed"] == "" and steps[1]["passed"].endswith(" %")
    assert (steps[-1]["count"], steps[-1]["width"]) == (funnel.NOT_REQUESTED, "")
