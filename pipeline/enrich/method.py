"""The tables `methods`, `space` and `withheld`: a sweep's method and its target space, from its plan."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.space.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Method:
    """What a sweep sends, to which ports, through which engine; `companions` are the ports of companion SYNs."""

    requests: Mapping[str, str]
    profile: str
    ports: Sequence[int]
    engine: str
    companions: Sequence[int] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides what a host is sent; another value begins a new series."""
        members: dict[str, object] = {
            "requests": dict(self.requests), "profile": self.profile, "ports": sorted(self.ports), "engine": self.engine,
        }  # fmt: skip
        if self.companions:
            members["companions"] = sorted(self.companions)
        return _digest(members)


def _digest(members: Mapping[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode(members, order="sorted")).hexdigest()


def methods(plan_digest: str, method: Method, space: Ranges) -> pa.Table:
    """One row: the digests of the method and of the target space."""
    row = {
        "plan_digest": plan_digest,
        "requests_digest": _digest(method.requests),
        "method_digest": method.digest,
        "space_digest": space.digest,
    }
    return pa.Table.from_pylist([row], schema=schema.table("methods").arrow)


def space(ranges: Ranges, table: str = "space") -> pa.Table:
    """One row for each range of the target space, or of what was withheld of it, in order of address."""
    columns = {"first": pa.array(ranges.first.astype(np.uint32)), "last": pa.array(ranges.last.astype(np.uint32))}
    return pa.table(columns, schema=schema.table(table).arrow)
