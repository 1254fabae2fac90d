"""Whether a configuration still says what the plan of an unfinished sweep was frozen from: resuming runs the plan, not the file."""

from typing import Any

import msgspec

from pipeline.errors import GuardError
from pipeline.lake.layout import SweepPaths
from pipeline.plan.differences import differences
from pipeline.plan.freezing import OPT_OUT_LIST
from pipeline.plan.plan import Plan
from pipeline.space.geo_databases import Reference

#: Fields that change with the time, the program and the opt-outs, or follow from others.
FOLLOWING = (
    "sweep", "created", "code_version", "requests", "digest", "signature", "digests", "pace", "countries", "ranges", "forbidden",
    "addresses", "sampled_addresses", "range_targets",
)  # fmt: skip
#: Parts that follow from the opt-outs too, and what the configuration chooses of each.
CONFIGURED = {"focus": ("sweeps", "sample"), "visibility": ("vantages", "sample")}


def require_unchanged(plan: Plan, today: Plan, paths: SweepPaths) -> None:
    """Raise GuardError if the plan of an unfinished sweep is not what its configuration gives today.

    Opt-outs may differ: running sweeps obey new ones anyway. A plan of another program is left to the check that refuses it.
    """
    if plan.code_version != today.code_version:
        return
    field = next(differences(_configured(plan, today), _configured(today, today)), None)
    if field:
        raise GuardError(
            f"{paths.plan}: the configuration has changed since this sweep began (field {field}), and resuming would run the "
            f"plan as it was; `census sweep {paths.plan} --lake {paths.lake}` does that, without --resume a new sweep begins"
        )


def _configured(plan: Plan, today: Plan) -> Plan:
    """A plan with what its configuration chooses; everything else is that of today's plan."""
    digests = {name: getattr(plan.reference, name) for name in ("country_digest", "asn_digest", "announced_digest")}
    return msgspec.structs.replace(
        plan,
        **{name: getattr(today, name) for name in FOLLOWING},
        settings=msgspec.structs.replace(plan.settings, rate=plan.pace.requested),
        excluded=tuple(part for part in plan.excluded if part.name != OPT_OUT_LIST),
        reference=Reference(**digests),
        **{part: _todays(plan, today, part, keys) for part, keys in CONFIGURED.items()},
    )


def _todays(plan: Plan, today: Plan, part: str, keys: tuple[str, ...]) -> Any:
    """A part of a plan with today's opt-outs, and what the plan's configuration chooses."""
    own, new = getattr(plan, part), getattr(today, part)
    if own is None or new is None:
        return own
    return msgspec.structs.replace(new, **{name: getattr(own, name) for name in keys})
