"""In which keys two plans differ."""

from pipeline.plan.differences import differences
from tests.plan.frozen import freeze


def test_differences_name_their_cause() -> None:
    """The first difference reported is the changed setting, not its consequences."""
    plan = freeze()
    assert list(differences(plan, plan)) == []
    sampled = freeze(sample=0.5)
    assert next(differences(plan, sampled)) == "settings.sample"
    excluded = freeze(exclude=("20.0.0.0/25",))
    assert list(differences(plan, excluded))[:3] == [
        "digests.target_space",
        "digests.exclusions",
        "digests.configuration",
    ]
