"""The plans of a sweep's visibility sample, one for each vantage, made from the plan of the sweep alone."""

from collections.abc import Iterator

import msgspec

from pipeline.config.sections import CompanionsSection
from pipeline.plan import plan as planning
from pipeline.plan.plan import Pace, Plan
from pipeline.plan.visibility import Visibility

#: Seconds that the load of a cap is counted over.
HOUR = 3600


def vantage_plans(plan: Plan) -> Iterator[Plan]:
    """Yield the plan of each vantage, without a signature; none for a plan without such a sample.

    All probe the same targets in the same order. Equal plans give equal ones, so that they can be made again after a restart.
    """
    sample = plan.visibility
    if sample is None or plan.vantage:
        return
    whole = msgspec.structs.replace(
        plan,
        settings=msgspec.structs.replace(
            plan.settings, rate=sample.rate, shards=sample.shards, sample=sample.addresses
        ),
        loss=msgspec.structs.replace(plan.loss, sample=0.0),
        control=msgspec.structs.replace(plan.control, sample=0.0),
        harm=None,
        companions=CompanionsSection(),
        sampled_addresses=sample.addresses,
        range_targets=plan.range_targets // plan.settings.rate * sample.rate,
        signature=None,
    )
    whole = msgspec.structs.replace(whole, pace=_pace(plan, whole, sample))
    for vantage in sample.vantages:
        own = msgspec.structs.replace(whole, sweep=f"{plan.sweep}.{vantage}", vantage=vantage)
        yield msgspec.structs.replace(own, digest=planning.digest(own))


def _pace(plan: Plan, part: Plan, sample: Visibility) -> Pace:
    """What the largest blocks get of a vantage in an hour: their share of all probes is that of the whole sweep."""
    sent = [each.settings.rate * min(HOUR, each.load.seconds) for each in (part, plan)]
    per_hour = plan.pace.per_network_hour
    return Pace(
        requested=sample.rate,
        lowered_by="",
        per_slash24_hour=plan.pace.per_slash24_hour * sent[0] / sent[1],
        per_network_hour=None if per_hour is None else per_hour * sent[0] / sent[1],
    )
