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


def digest(plan: Plan, engine: str) -> str:
    """SHA-256 over all that decides what a sweep finds, by a kind of engine; another value begins a new series."""
    document = msgspec.to_builtins(plan)
    sections = {name: _keys(document[name] or {}, keys) for name, keys in DECISIVE.items()}
    return _digest(sections | {"requests": plan.requests, "engine": engine})


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


def space(ranges: Ranges, table: str = "space") -> pa.Table:
    """One row for each range of the target space, or of what was withheld of it, in order of address."""
    columns = {"first": pa.array(ranges.first.astype(np.uint32)), "last": pa.array(ranges.last.astype(np.uint32))}
    return pa.table(columns, schema=schema.table(table).arrow)
