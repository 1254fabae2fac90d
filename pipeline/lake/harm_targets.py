"""The targets of the third round, the harm check, derived from the rows of the rounds before it.

Anyone can derive them again from the lake. Each range of the first two rounds that deferred a target or reached a DICOM speaker
has a range of harm checks. Those are numbered after all ranges of the first two rounds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline import schema
from pipeline.lake import receipts, schema_versions, store
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.outcome import SPEAKS_DICOM, Arm, CloseStage
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk

DEFERRED_COLUMNS = (
    "ip",
    "port",
    "shard",
    "range",
    "arm",
    "answered_at",
    "ttl",
    "window",
    "syn_rtt_us",
    "syn_options_hash",
)
CHECK_COLUMNS = ("ip", "port", "alive_after", "repeated_after")
VISIT_COLUMNS = ("ip", "port", "close_stage")
ASSOCIATION_COLUMNS = ("ip", "port", "shard", "range", "round", "outcome", "started_at")


@dataclass(frozen=True, slots=True)
class Check:
    """A range of the third round, and how many of its targets were deferred: those that it visits."""

    range: Range
    deferred: int


def of_range(sweep: Sweep, visits: Range) -> tuple[Range, pa.Table] | None:
    """Return the check of a range of visits that has its receipt, and its targets; None if there is nothing to check."""
    if sweep.plan.harm is None:
        return None
    targets = _targets(
        _part(sweep.paths, "held", visits.key, DEFERRED_COLUMNS),
        _part(sweep.paths, "associations", visits.key, ASSOCIATION_COLUMNS),
    )
    return (_check(sweep.walk, visits.shard, visits.number, len(targets)), targets) if len(targets) else None


def key(walk: Walk, visits: Range) -> str:
    """Return the key of the check of a range of visits."""
    return _check(walk, visits.shard, visits.number, 0).key


def _check(walk: Walk, shard: int, visits: int, targets: int) -> Range:
    """Return the check of a shard's range of visits, by the number of that range and how many targets are checked."""
    return Range(shard, first_number(walk, shard) + visits, 0, targets - 1)


def planned(sweep: Sweep) -> dict[str, Check]:
    """Return all checks that the visits made so far require, by the keys of their ranges."""
    if sweep.plan.harm is None:
        return {}
    targets = _targets(
        _all(sweep.paths, "held", DEFERRED_COLUMNS), _all(sweep.paths, "associations", ASSOCIATION_COLUMNS)
    )
    deferred = pc.not_equal(targets["arm"], str(Arm.SPEAKER))
    counted = targets.select(["shard", "range"]).append_column("deferred", pc.cast(deferred, pa.int64()))
    grouped = counted.group_by(["shard", "range"]).aggregate([("deferred", "sum"), ("deferred", "count")])
    checks = {}
    for row in grouped.to_pylist():
        range_ = _check(sweep.walk, row["shard"], row["range"], row["deferred_count"])
        checks[range_.key] = Check(range_, row["deferred_sum"])
    return checks


def first_number(walk: Walk, shard: int) -> int:
    """Return the number of a shard's first check, after its ranges of probes and its range of second visits."""
    return int(walk.range_counts[shard]) + 1


def _targets(deferred: pa.Table, associations: pa.Table) -> pa.Table:
    """Return the deferred targets and the DICOM speakers of the first two rounds, with the columns DEFERRED_COLUMNS."""
    of_earlier_rounds = pc.and_(
        pc.less(pc.fill_null(associations["round"], Round.PROBES.value), Round.HARM_CHECKS.value),
        pc.is_in(associations["outcome"], pa.array([str(outcome) for outcome in SPEAKS_DICOM])),
    )
    speakers = associations.filter(of_earlier_rounds)
    count = len(speakers)
    arrow = deferred.schema
    columns = {
        name: speakers["started_at" if name == "answered_at" else name].cast(arrow.field(name).type)
        if name in ("ip", "port", "shard", "range", "answered_at")
        else pa.array([str(Arm.SPEAKER)] * count if name == "arm" else [None] * count, arrow.field(name).type)
        for name in arrow.names
    }
    return pa.concat_tables([deferred, pa.table(columns)]).sort_by([("ip", "ascending"), ("port", "ascending")])


def _part(paths: SweepPaths, table: str, key: str, columns: Iterable[str]) -> pa.Table:
    """Read the rows of one range."""
    return _read(receipts.parts_of(paths, key, table), table, columns)


def _all(paths: SweepPaths, table: str, columns: Iterable[str]) -> pa.Table:
    """Read the rows of all ranges, from the sealed table or from the parts."""
    return _read(receipts.files(paths, table), table, columns)


def _read(paths: Iterable[Location], table: str, columns: Iterable[str], only: ds.Expression | None = None) -> pa.Table:
    arrow = schema.table(table).arrow
    wanted = pa.schema([(name, arrow.field(name).type) for name in columns])
    files = [str(file) for file in store.files(paths)]
    if not files:
        return wanted.empty_table()
    with schema_versions.damage_named(Path(files[0]).parent, table):
        return (
            ds.dataset(files, format="parquet", schema=arrow).to_table(columns=wanted.names, filter=only).cast(wanted)
        )


def checks(paths: SweepPaths) -> pa.Table:
    """Read the results of the checks, with the columns CHECK_COLUMNS."""
    return _all(paths, "harm", CHECK_COLUMNS)


def controls(paths: SweepPaths) -> pa.Table:
    """Read the addresses that answered on the control port."""
    return _all(paths, "controls", ("ip",))


def reached(paths: SweepPaths, checks: pa.Table) -> pa.Table:
    """Read how far the visits got to addresses that answered neither SYN afterwards, with the columns VISIT_COLUMNS."""
    addresses = ds.field("ip").isin(_silent(checks)["ip"].combine_chunks())
    return _read(receipts.files(paths, "responses"), "responses", VISIT_COLUMNS, addresses)


def fallen(paths: SweepPaths) -> pa.Table:
    """Return the targets (`ip`, `port`) that a visit reached, and that then answered neither of two SYNs."""
    results = checks(paths)
    return _fallen(results, reached(paths, results))


def _silent(checks: pa.Table) -> pa.Table:
    return checks.filter(pc.and_(pc.invert(pc.fill_null(checks["alive_after"], True)), checks["repeated_after"]))


def _fallen(checks: pa.Table, responses: pa.Table) -> pa.Table:
    visited = responses.filter(pc.not_equal(responses["close_stage"], str(CloseStage.CONNECT)))
    return (
        _silent(checks)
        .select(["ip", "port"])
        .join(visited.select(["ip", "port"]), ["ip", "port"], join_type="left semi")
    )


def with_check_results(associations: pa.Table, checks: pa.Table, responses: pa.Table) -> pa.Table:
    """Fill in the results of the checks: the columns `post_probe_syn_alive` and `quarantined` of associations."""
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
