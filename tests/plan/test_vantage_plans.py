"""The plans of the vantages of a visibility sample."""

import numpy as np

from pipeline.config.sections import VisibilitySection
from pipeline.plan import plan as plans
from pipeline.plan.differences import differences
from pipeline.plan.plan import Plan
from pipeline.plan.vantage_plans import vantage_plans
from tests.plan.frozen import freeze

SECTION = VisibilitySection(vantages=("one", "two"), sample=0.1)


def targets(plan: Plan) -> set[tuple[int, int]]:
    walk = plan.walk()
    found = [walk.targets(r.shard, r.first_index, r.last_index + 1) for s in range(walk.shards) for r in walk.ranges(s)]
    addresses, ports = (np.concatenate(part).tolist() for part in zip(*found, strict=True))
    assert len(addresses) == plan.targets
    return set(zip(addresses, ports, strict=True))


def test_all_vantages_probe_the_same_targets() -> None:
    """Each vantage probes the same targets, all of them the sweep's own; their plans differ in nothing but the vantage."""
    plan = freeze(visibility=SECTION)
    one, two = vantage_plans(plan)
    assert targets(one) == targets(two) < targets(plan)
    assert len(targets(one)) == 2 * round(0.1 * plan.addresses)
    assert (one.sweep, one.name, one.whole) == (f"{plan.sweep}.one", "trial.one", plan.sweep)
    assert (plan.name, plan.whole) == ("trial", None)
    assert set(differences(one, two)) == {"vantage", "sweep", "digest"}


def test_nothing_goes_out_besides_the_syn() -> None:
    """A target gets no second SYN and no harm check, and no address a control or companion SYN."""
    for own in vantage_plans(freeze(visibility=SECTION)):
        assert (own.loss.sample, own.control.sample, own.harm, own.companions.ports) == (0.0, 0.0, None, ())
        assert own.probes == own.targets
        assert own.pace.per_slash24_hour <= freeze().pace.per_slash24_hour


def test_they_are_made_again_alike() -> None:
    """A plan that was read back gives equal plans, which are read back themselves; the plan of a vantage gives none."""
    plan = freeze(visibility=SECTION)
    made = list(vantage_plans(plan))
    assert list(vantage_plans(plans.decode(plans.encode(plan), "plan.json"))) == made
    for own in made:
        assert plans.decode(plans.encode(own), "plan.json") == own
        assert list(vantage_plans(own)) == []
    assert list(vantage_plans(freeze())) == []
