"""The targets of second visits, derived from the rows of a shard's first round; anyone can derive them again from the lake."""

from collections.abc import Container, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schema
from pipeline.lake import receipts, schema_versions
from pipeline.lake.layout import Sweep
from pipeline.lake.store import Location
from pipeline.outcome import CloseStage, Outcome
from pipeline.plan.plan import Plan
from pipeline.space.shard import Range

COLUMNS = ["ip", "port", "outcome", "close_stage"]


def select(responses: pa.Table, plan: Plan) -> pa.Table:
    """Select the targets (`ip`, `port`) that ended the connection after our plain request or answered with TLS; shuffle them.

    A server behind TLS answers a plain request with a TLS alert, with a reset, or with nothing but its FIN.
    """
    endings = (Outcome.RESET, Outcome.CLOSED) if plan.tls.after_close else (Outcome.RESET,)
    after = pc.and_(
        pc.is_in(responses["outcome"], pa.array([str(outcome) for outcome in endings])),
        pc.equal(responses["close_stage"], str(CloseStage.ASSOCIATE)),
    )
    wanted = pc.or_(pc.equal(responses["outcome"], str(Outcome.TLS)), after)
    plain = pc.invert(pc.is_in(responses["port"], pa.array(plan.tls.ports, pa.uint16())))
    targets = (
        responses.filter(pc.and_(wanted, plain))
        .select(["ip", "port"])
        .sort_by([("ip", "ascending"), ("port", "ascending")])
    )
    return targets.take(pa.array(np.random.default_rng(plan.settings.seed).permutation(len(targets))))


def of_shard(sweep: Sweep, shard: int) -> tuple[Range, pa.Table] | None:
    """Return the range of a shard's second visits and its targets; None if there are none, or the first round is not done."""
    if not sweep.plan.settings.profile.makes_second_visits:
        return None
    first = list(sweep.walk.ranges(shard))
    keys = [planned.key for planned in first]
    if not receipts.finished(sweep.paths).issuperset(keys):
        return None
    targets = select(_responses(sweep, shard, keys), sweep.plan)
    return (Range(shard, len(first), 0, len(targets) - 1), targets) if len(targets) else None


def ranges(sweep: Sweep, shard: int) -> Iterator[Range]:
    """Yield a shard's ranges of the first two rounds. Of the range of second visits only the key is valid."""
    first = list(sweep.walk.ranges(shard))
    yield from first
    if sweep.plan.settings.profile.makes_second_visits:
        yield Range(shard, len(first), 0, 0)


def _responses(sweep: Sweep, shard: int, keys: Container[str]) -> pa.Table:
    """Read a shard's rows of `responses`."""
    sealed = sweep.paths.sealed("responses")
    if sealed.exists():
        rows = _without(_read(sealed), sweep.paths.sealed("held"))
        return rows.filter(pa.array(sweep.walk.locate(np.asarray(rows["ip"]), np.asarray(rows["port"]))[0] == shard))
    files = [path for path in receipts.parts(sweep.paths, "responses") if path.name.partition(".")[0] in keys]
    empty = schema.table("responses").arrow.empty_table().select(COLUMNS).replace_schema_metadata(None)
    return pa.concat_tables([empty, *(_read(path) for path in files)])


def _without(rows: pa.Table, deferred: Location) -> pa.Table:
    """Remove the rows of deferred targets, which were visited in the third round."""
    if not deferred.exists():
        return rows
    return rows.join(_read(deferred, ["ip", "port"]), ["ip", "port"], join_type="left anti")


def _read(path: Location, columns: list[str] = COLUMNS) -> pa.Table:
    return schema_versions.read(path, "responses", columns).replace_schema_metadata(None)
