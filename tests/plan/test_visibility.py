"""The visibility sample of a plan."""

import msgspec
import pytest

from pipeline.config.sections import CapsSection, VisibilitySection
from pipeline.errors import GuardError, InputError
from pipeline.plan import plan as plans
from pipeline.plan.vantage_plans import vantage_plans
from pipeline.space.caps import is_kept, slash24
from pipeline.space.ranges import Ranges
from tests.plan.frozen import freeze

SECTION = VisibilitySection(vantages=("one", "two"), sample=0.1)


def test_a_share_of_what_the_sweep_visits() -> None:
    """The sample is a share of the addresses that the sweep visits, and the sweep itself is as it would be without."""
    plan, without = freeze(visibility=SECTION), freeze()
    assert plan.visibility
    assert (plan.visibility.addresses, plan.visibility.vantages) == (round(0.1 * plan.addresses), ("one", "two"))
    sampled = freeze(visibility=SECTION, sample=100)
    assert sampled.visibility and sampled.visibility.addresses == 10
    assert (plan.settings, plan.pace, plan.ranges) == (without.settings, without.pace, without.ranges)


def test_an_empty_sample_is_refused() -> None:
    """A share that gives no address is refused, with one that gives an address."""
    with pytest.raises(InputError, match=r"visibility.sample: gives none of 198 addresses; choose 0.0051 or more"):
        freeze(visibility=VisibilitySection(vantages=("one", "two"), sample=0.001))


def test_vantages_keep_a_cap_together() -> None:
    """Each vantage has its part of a cap, so all of them together send no /24 more than the whole sweep may."""
    wide = {"include": ("20.0.0.0/14",), "exclude": (), "rate": 1000}
    whole = VisibilitySection(vantages=("one", "two", "three", "four"), sample=1.0)
    free, capped = (freeze(**wide, visibility=whole, caps=caps) for caps in (CapsSection(), CapsSection(200)))
    assert free.visibility and capped.visibility
    assert free.visibility.rate == 1000
    blocks = slash24(Ranges.of(capped.ranges))
    assert all(is_kept(50, blocks, own.load) for own in vantage_plans(capped))
    assert 0 < 4 * capped.visibility.rate <= capped.settings.rate
    with pytest.raises(
        InputError, match=r"caps.per_slash24_hour: 4 vantages have a part of it each: 15 probes an hour cannot be"
    ):
        freeze(**wide, visibility=whole, caps=CapsSection(60))


@pytest.mark.parametrize("changed", [{"addresses": 205}, {"addresses": 1}])
def test_a_sample_that_does_not_fit_is_refused(changed: dict[str, int]) -> None:
    """A sample larger than the sweep, or other than what a vantage visits, is found when the plan is read."""
    plan = freeze(visibility=SECTION)
    assert plan.visibility
    false = msgspec.structs.replace(
        plan,
        visibility=msgspec.structs.replace(plan.visibility, **changed),
        vantage="one" if changed["addresses"] == 1 else "",
    )
    with pytest.raises(GuardError, match="field visibility"):
        plans.decode(plans.encode(msgspec.structs.replace(false, digest=plans.digest(false))), "plan.json")
