"""Plans with a focus: their strata, their walk, and what is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.sections import CapsSection
from pipeline.errors import GuardError, InputError
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.space.ranges import Ranges
from tests.plan.frozen import focused


def refused(plan: Plan, **changes: Any) -> None:
    """A plan whose focus was changed, with a digest that fits, is refused by its field."""
    assert plan.focus
    forged = msgspec.structs.replace(plan, focus=msgspec.structs.replace(plan.focus, **changes))
    forged = msgspec.structs.replace(forged, digest=planning.digest(forged))
    with pytest.raises(GuardError, match=r"plan\.json: .*\(field focus\)"):
        planning.decode(planning.encode(forged), "plan.json")


def test_the_plan_states_its_strata() -> None:
    """Known are the /24s with services, without what is excluded; of the 255 others a quarter is drawn, with the chance it states."""
    plan = focused()
    focus = plan.focus
    assert focus and focus.addresses == plan.space_addresses == 2**16 + 64 - 4
    assert (focus.known_slash24s, focus.other_slash24s, focus.sampled_slash24s) == (2, 255, 64)
    assert focus.inclusion == 64 / 255 and focus.sweeps == ("a",)
    assert focus.known == ((0x14000304, 0x140003FF), (0x14000900, 0x140009FF))
    assert plan.addresses == plan.sampled_addresses == Ranges.of(plan.ranges).count
    assert planning.decode(planning.encode(plan), "plan.json") == plan == focused()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.05, 0.3, 1.0]))
def test_each_target_of_both_strata_is_walked_once(third: int, sample: float) -> None:
    """The walk has each address of both strata on each port once, and nothing else, whatever was found before."""
    plan = focused(sample, services=("20.0.3.7", f"20.0.{third % 256}.1"))
    walk = plan.walk()
    lengths = [(last - first) * len(walk.ports) for first, last in map(walk.bounds, range(walk.shards))]
    found = [walk.targets(shard, 0, length) for shard, length in enumerate(lengths)]
    targets = np.concatenate([addresses.astype(np.int64) << 16 | ports for addresses, ports in found])
    probed = np.concatenate([np.arange(first, last + 1) for first, last in plan.ranges])
    expected = np.sort(np.concatenate([probed << 16 | port for port in walk.ports]))
    assert np.array_equal(np.sort(targets), expected)


def test_the_draw_can_be_made_again() -> None:
    """The probed addresses follow from the plan's space, known part, sample and seed; another seed draws others."""
    plan = focused()
    assert plan.focus and plan.focus.probed(7).digest == plan.digests.target_space
    assert plan.focus.probed(8).digest != plan.digests.target_space


def test_caps_hold_for_a_focus() -> None:
    """A cap of a /24 lowers the rate of a focus as it does of any plan."""
    plan = focused(include=("20.0.0.0/12",), caps=CapsSection(per_slash24_hour=60), rate=1000)
    assert plan.settings.rate < 1000 and plan.pace.lowered_by == "caps.per_slash24_hour = 60"


@pytest.mark.parametrize(
    "changes",
    [
        {"sampled_slash24s": 63}, {"other_slash24s": 100}, {"known_slash24s": 1}, {"addresses": 2**16}, {"sample": 0.9},
        {"known": ()}, {"known": ((0, 2**62),)}, {"space": ()}, {"space": ((0, 2**40),)},
    ],
)  # fmt: skip
def test_strata_that_do_not_add_up_are_refused(changes: dict[str, Any]) -> None:
    """A count or range that does not fit the rest is refused by its field, however large."""
    refused(focused(), **changes)


def test_an_empty_sample_is_refused() -> None:
    """A sample that gives no /24 says which would; without another /24 none is needed."""
    with pytest.raises(
        InputError, match=r"key targets\.focus\.sample: gives none of 255 /24s .*choose 0\.0039 or more"
    ):
        focused(0.001)
    alone = focused(0.001, include=("20.0.3.0/24",))
    assert alone.focus and (alone.focus.other_slash24s, alone.focus.inclusion) == (0, 1.0)
