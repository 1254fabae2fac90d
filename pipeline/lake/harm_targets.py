"""The third round, the harm check: whom it asks is told by the rows of the rounds before it, so that anyone can tell again.

Each range of the first two rounds that held a target back or met a DICOM speaker has a range here, numbered after all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline import schema
from pipeline.lake import receipts, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.outcome import SPEAKS_DICOM, Arm, CloseStage
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk

HELD = ("ip", "port", "shard", "range", "arm", "answered_at", "ttl", "window", "syn_rtt_us", "syn_options_hash")
FOUND = ("ip", "port", "alive_after", "repeated_after")
REACHED = ("ip", "port", "close_stage")
SPOKE = ("ip", "port", "shard", "range", "round", "outcome", "started_at")


@dataclass(frozen=True, slots=True)
class Check:
    """A range of the third round, and how many of its targets were held back: those it visits."""

    range: Range
    held: int


def of_range(sweep: Sweep, visits: Range) -> tuple[Range, pa.Table] | None:
    """The check of a range of visits that has its receipt, and its targets; None if there is nothing to check."""
    if sweep.plan.harm is None:
        return None
    targets = _targets(
        _part(sweep.paths, "held", visits.key, HELD), _part(sweep.paths, "associations", visits.key, SPOKE)
    )
    return (_check(sweep.walk, visits.shard, visits.number, len(targets)), targets) if len(targets) else None


def key(walk: Walk, visits: Range) -> str:
    """The key of the check of a range of visits."""
    return _check(walk, visits.shard, visits.number, 0).key


def _check(walk: Walk, shard: int, visits: int, targets: int) -> Range:
    """The check of so many targets of a shard's range of visits with this number."""
    return Range(shard, first_number(walk, shard) + visits, 0, targets - 1)


def planned(sweep: Sweep) -> dict[str, Check]:
    """All checks of a sweep as far as its visits tell, by the keys of their ranges."""
    if sweep.plan.harm is None:
        return {}
    targets = _targets(_all(sweep.paths, "held", HELD), _all(sweep.paths, "associations", SPOKE))
    held = pc.not_equal(targets["arm"], str(Arm.SPEAKER))
    counted = targets.select(["shard", "range"]).append_column("held", pc.cast(held, pa.int64()))
    grouped = counted.group_by(["shard", "range"]).aggregate([("held", "sum"), ("held", "count")])
    found = {}
    for row in grouped.to_pylist():
        chosen = _check(sweep.walk, row["shard"], row["range"], row["held_count"])
        found[chosen.key] = Check(chosen, row["held_sum"])
    return found


def first_number(walk: Walk, shard: int) -> int:
    """The number of a shard's first check: its ranges of probes and that of its second visits come before."""
    return sum(1 for _ in walk.ranges(shard)) + 1


def _targets(held: pa.Table, spoke: pa.Table) -> pa.Table:
    """Held targets, and those that spoke DICOM at visits of the first two rounds, with the columns of HELD."""
    chosen = pc.and_(
        pc.less(pc.fill_null(spoke["round"], Round.PROBES.value), Round.HARM_CHECKS.value),
        pc.is_in(spoke["outcome"], pa.array([str(outcome) for outcome in SPEAKS_DICOM])),
    )
    spoke = spoke.filter(chosen)
    count = len(spoke)
    arrow = held.schema
    columns = {
        name: spoke["started_at" if name == "answered_at" else name].cast(arrow.field(name).type)
        if name in ("ip", "port", "shard", "range", "answered_at")
        else pa.array([str(Arm.SPEAKER)] * count if name == "arm" else [None] * count, arrow.field(name).type)
        for name in arrow.names
    }
    return pa.concat_tables([held, pa.table(columns)]).sort_by([("ip", "ascending"), ("port", "ascending")])


def _part(paths: SweepPaths, table: str, key: str, columns: Iterable[str]) -> pa.Table:
    """Rows of one range."""
    return _read(receipts.parts_of(paths, key, table), table, columns)


def _all(paths: SweepPaths, table: str, columns: Iterable[str]) -> pa.Table:
    """Rows of all ranges, from the sealed table or from the parts."""
    return _read(receipts.files(paths, table), table, columns)


def _read(paths: Iterable[Location], table: str, columns: Iterable[str], only: ds.Expression | None = None) -> pa.Table:
    arrow = schema.table(table).arrow
    wanted = pa.schema([(name, arrow.field(name).type) for name in columns])
    files = [str(file) for file in store.files(paths)]
    found = (
        ds.dataset(files, format="parquet", schema=arrow).to_table(columns=wanted.names, filter=only) if files else None
    )
    return found.cast(wanted) if found else wanted.empty_table()


def checks(paths: SweepPaths) -> pa.Table:
    """What the check found of its targets."""
    return _all(paths, "harm", FOUND)


def controls(paths: SweepPaths) -> pa.Table:
    """The addresses that answered on the control port."""
    return _all(paths, "controls", ("ip",))


def reached(paths: SweepPaths, checks: pa.Table) -> pa.Table:
    """What came of the visits to addresses that answered neither SYN afterwards, with the columns of REACHED."""
    addresses = ds.field("ip").isin(_silent(checks)["ip"].combine_chunks())
    return _read(receipts.files(paths, "responses"), "responses", REACHED, addresses)


def fallen(paths: SweepPaths) -> pa.Table:
    """The targets (`ip`, `port`) that a visit reached, and that then answered neither of two SYNs."""
    found = checks(paths)
    return _fallen(found, reached(paths, found))


def _silent(checks: pa.Table) -> pa.Table:
    return checks.filter(pc.and_(pc.invert(pc.fill_null(checks["alive_after"], True)), checks["repeated_after"]))


def _fallen(checks: pa.Table, responses: pa.Table) -> pa.Table:
    visited = responses.filter(pc.not_equal(responses["close_stage"], str(CloseStage.CONNECT)))
    return (
        _silent(checks)
        .select(["ip", "port"])
        .join(visited.select(["ip", "port"]), ["ip", "port"], join_type="left semi")
    )


def told(associations: pa.Table, checks: pa.Table, responses: pa.Table) -> pa.Table:
    """Associations with what the check found of them, in `post_probe_syn_alive` and `quarantined`."""
    alive = dict(zip(_keys(checks), checks["alive_after"].to_pylist(), strict=True))
    silent = set(_keys(_fallen(checks, responses)))
    keys = _keys(associations) if alive else []
    values = {
        "post_probe_syn_alive": [alive.get(key) for key in keys],
        "quarantined": [key in silent if alive.get(key) is not None else None for key in keys],
    }
    for name, column in values.items() if alive else ():
        at = associations.schema.get_field_index(name)
        associations = associations.set_column(at, associations.schema.field(at), pa.array(column, pa.bool_()))
    return associations


def _keys(table: pa.Table) -> list[tuple[int, int]]:
    return list(zip(table["ip"].to_pylist(), table["port"].to_pylist(), strict=True))
