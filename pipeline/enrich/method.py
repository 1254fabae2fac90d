"""The tables `methods`, `space` and `withheld`: a sweep's method and its target space, from its plan."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import msgspec
import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.plan.plan import Plan
from pipeline.space.ranges import Ranges

#: Sections of a plan → their keys that decide which hosts a sweep finds, and when it probes each of them. The seed orders the targets,
#: and rate and caps decide how long that takes: with all three alike, each target is probed a week after it was in the week before.
DECISIVE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "settings": ("ports", "profile", "seed"),
        "pace": ("asked",),
        "caps": ("per_slash24_hour", "per_network_hour"),
        "probe": ("cooldown",),
        "loss": ("sample", "delay"),
        "control": ("sample", "port"),
        "harm": ("sample", "delay"),
        "companions": ("ports", "delay"),
        "tls": ("ports", "after_close", "rate"),
    }
)
#: The same of a focus: sweeps with one focus probe the same /24s, but for opt-outs.
FOCUS = ("sweeps", "sample")


def digest(plan: Plan, engine: str) -> str:
    """SHA-256 over all that decides what a sweep finds, by a kind of engine; another value begins a new series."""
    document = msgspec.to_builtins(plan)
    sections = {name: _keys(document[name] or {}, keys) for name, keys in DECISIVE.items()}
    focus = {"focus": _keys(document["focus"], FOCUS)} if plan.focus else {}
    return _digest(sections | focus | {"requests": plan.requests, "engine": engine})


def _keys(section: Mapping[str, object], keys: tuple[str, ...]) -> dict[str, object]:
    """These keys of a section; lists are sorted, since their order decides nothing."""
    values = {key: section.get(key) for key in keys}
    return {key: sorted(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _digest(members: Mapping[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode(members, order="sorted")).hexdigest()


def methods(plan: Plan, engine: str) -> pa.Table:
    """One row: the digests of the method and of the target space."""
    row = {
        "plan_digest": plan.digest,
        "requests_digest": _digest(plan.requests),
        "method_digest": digest(plan, engine),
        "space_digest": plan.digests.target_space,
    }
    return pa.Table.from_pylist([row], schema=schema.table("methods").arrow)


def space(plan: Plan) -> pa.Table:
    """One row for each range of the target space, in order of address; of a focus, one for each range of a stratum."""
    ranges = Ranges.of(plan.ranges)
    if plan.focus is None:
        return _ranges(ranges, "space", inclusion=[None] * len(ranges.first))
    known = Ranges.of(plan.focus.known)
    parts = ((known, 1.0), (ranges.subtract(known), plan.focus.inclusion))
    tables = [_ranges(part, "space", inclusion=[inclusion] * len(part.first)) for part, inclusion in parts]
    return pa.concat_tables(tables).sort_by("first")


def withheld(ranges: Ranges) -> pa.Table:
    """One row for each range of the target space that was withheld, in order of address."""
    return _ranges(ranges, "withheld")


def _ranges(ranges: Ranges, table: str, **more: list[float | None]) -> pa.Table:
    ends = {"first": pa.array(ranges.first.astype(np.uint32)), "last": pa.array(ranges.last.astype(np.uint32))}
    return pa.table(ends | more, schema=schema.table(table).arrow)
