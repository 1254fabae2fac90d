"""The tables `methods` and `space`: a sweep's method and its target space, from its plan."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from pipeline import schema
from pipeline.space.ranges import Ranges


def digest(requests: Mapping[str, str], *, profile: str, ports: Sequence[int], engine: str) -> str:
    """SHA-256 over all that decides what a service is sent; another value begins a new series."""
    method = {"requests": dict(requests), "profile": profile, "ports": sorted(ports), "engine": engine}
    return hashlib.sha256(msgspec.json.encode(method, order="sorted")).hexdigest()


def methods(
    plan_digest: str, requests: Mapping[str, str], space: Ranges, *, profile: str, ports: Sequence[int], engine: str
) -> pa.Table:
    """One row: the digests of the method and of the target space."""
    row = {
        "plan_digest": plan_digest,
        "requests_digest": hashlib.sha256(msgspec.json.encode(dict(requests), order="sorted")).hexdigest(),
        "method_digest": digest(requests, profile=profile, ports=ports, engine=engine),
        "space_digest": space.digest,
    }
    return pa.Table.from_pylist([row], schema=schema.table("methods").arrow)


def space(ranges: Ranges) -> pa.Table:
    """One row for each range of the target space, in order of address."""
    columns = {"first": pa.array(ranges.first.astype(np.uint32)), "last": pa.array(ranges.last.astype(np.uint32))}
    return pa.table(columns, schema=schema.table("space").arrow)
