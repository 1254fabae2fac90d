"""Verify a sweep, to the row: receipts against the plan, tables against receipts and plan. Seal it if they agree."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schema
from pipeline.errors import CensusError
from pipeline.lake import (
    attestation,
    companion_targets,
    harm_targets,
    manifest,
    parts,
    schema_versions,
    second_visit_targets,
    store,
    visit_log,
    voiding,
)
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.receipts import read_receipts
from pipeline.lake.store import Location
from pipeline.lake.sweep_row import sweep_row
from pipeline.plan.plan import Plan
from pipeline.record.receipt import Part, Receipt, second_looks
from pipeline.record.rounds import VISITS_TABLES, Round
from pipeline.space.shard import Range, Walk, range_key
from pipeline.words.plural import plural

#: Tables, and the field of the receipt that counts their rows.
COUNTED = {
    "responses": "responses",
    "associations": "associations",
    "tls": "handshakes",
    "controls": "control_answers",
    "control_targets": "control_checks",
    "second_syns": "second_answers",
    "held": "held_back",
    "harm": "harm_checks",
    "companions": "companions",
}

#: Fills in columns of a table that depend on more than one range.
Filling = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not add up: where, and what."""

    where: str
    what: str


def faults(sweep: Sweep) -> Iterator[Fault]:
    """Yield everything that does not add up, in the order of plan → receipts → parts → rows."""
    walk = sweep.walk
    planned = {range_.key: range_ for shard in range(walk.shards) for range_ in walk.ranges(shard)}
    second_visits = [second_visit_targets.of_shard(sweep, shard) for shard in range(walk.shards)]
    planned |= {visits[0].key: visits[0] for visits in second_visits if visits}
    checks = harm_targets.planned(sweep)
    planned |= {key: check.range for key, check in checks.items()}
    planned |= companion_targets.planned(sweep)
    receipts = {range_key(r.shard, r.range): r for r in read_receipts(sweep.paths)}
    yield from _against_plan(planned, receipts, sweep.plan)
    for record in voiding.standing(sweep.paths):
        yield Fault(
            f"receipt {record.key}", "is void, since the hit rate fell; `census sweep --resume` runs its range again"
        )
    yield from _checked(checks, receipts)
    if sweep.paths.sealed("sweeps").exists():
        yield from _sealed(sweep, list(receipts.values()))
    else:
        for key, receipt in receipts.items():
            if key in planned:
                yield from _parts(sweep, receipt, planned[key])


def _against_plan(planned: dict[str, Range], receipts: dict[str, Receipt], plan: Plan) -> Iterator[Fault]:
    for key in planned.keys() - receipts.keys():
        yield Fault(f"range {key}", "has no receipt; `census sweep --resume` finishes it")
    for key in receipts.keys() - planned.keys():
        yield Fault(f"receipt {key}", "is for a range that the plan does not have")
    for key in sorted(planned.keys() & receipts.keys()):
        yield from _receipt(f"receipt {key}", receipts[key], planned[key], plan)


def _checked(checks: dict[str, harm_targets.Check], receipts: dict[str, Receipt]) -> Iterator[Fault]:
    """Check harm checks: each target has its row, and each deferred target its visit."""
    for key in sorted(checks.keys() & receipts.keys()):
        check, receipt = checks[key], receipts[key]
        visits = receipt.connects + receipt.suppressed_visits
        if receipt.harm_checks != check.range.length:
            yield Fault(f"receipt {key}", f"checked {plural(receipt.harm_checks, 'target')} of {check.range.length}")
        if visits != check.deferred if receipt.attempts == 1 else visits > check.deferred:
            yield Fault(f"receipt {key}", f"visited {plural(visits, 'target')} of {check.deferred} that were held back")


def _receipt(where: str, receipt: Receipt, planned: Range, plan: Plan) -> Iterator[Fault]:
    """Check a receipt against its range of the plan, and its counts against each other."""
    outcomes = sum(row.targets for row in receipt.outcomes)
    round_ = receipt.round
    first, rows = round_ is Round.PROBES, getattr(receipt, round_.visits_column)
    sent = receipt.probes_sent + receipt.suppressed + receipt.spared
    once = receipt.attempts == 1
    answered = receipt.answers - receipt.duplicates + (receipt.second_visits or 0) if first else planned.length
    deferred = receipt.held_back if once else 0
    visits = receipt.greetings + receipt.connects
    settled = visits + receipt.suppressed_visits + deferred
    taken = receipt.probes_sent if receipt.frames_taken is None else receipt.frames_taken
    companions, exactly = planned.length if round_ is Round.COMPANIONS else 0, once and round_.makes_visits
    took, by_second = receipt.took or 0, receipt.second_visits or 0
    nested = (receipt.took_twice or 0) <= took <= receipt.second_answers and by_second <= receipt.second_only
    checks = (
        (receipt.plan_digest == plan.digest, "was made under another plan"),
        (receipt.first_index == planned.first_index, "begins elsewhere than its range"),
        (receipt.last_index == planned.last_index, "ends elsewhere than its range"),
        (sent == (planned.length if first else 0), f"sent or suppressed {plural(sent, 'probe')} of {planned.length}"),
        (taken >= receipt.probes_sent, f"claims {receipt.probes_sent} of {plural(taken, 'frame')} taken"),
        (receipt.quarantined <= receipt.suppressed, "quarantined more targets than it suppressed"),
        (outcomes == rows, f"has {plural(outcomes, 'outcome')} for {plural(rows, 'row')}"),
        (settled == answered if exactly else settled <= answered, f"settled {plural(settled, 'target')} of {answered}"),
        (visits == rows or not once, f"has {plural(rows, 'row')} of {plural(visits, 'conversation')}"),
        (nested, "counted more hosts or visits than answers to second SYNs"),
        (
            receipt.companions == companions,
            f"has rows of {plural(receipt.companions, 'companion port')} of {companions}",
        ),
    )
    yield from (Fault(where, what) for is_right, what in checks if not is_right)


def _parts(sweep: Sweep, receipt: Receipt, planned: Range) -> Iterator[Fault]:
    """Check the parts of a range against its receipt."""
    tables = {name: _empty(name) for name in schema.JOURNALED}
    unchanged = 0
    for part in receipt.parts:
        path = sweep.paths.part(part.table, part.file)
        if not path.exists():
            yield Fault(str(path), "is missing, though its receipt names it")
            continue
        if hashlib.sha256(store.content(path)).hexdigest() != part.sha256:
            yield Fault(str(path), "was changed after its receipt was given")
            continue
        tables[part.table] = _compared(path, part.table)
        unchanged += 1
    if unchanged == len(receipt.parts):
        yield from _rows(f"range {planned.key}", tables, [receipt], sweep.walk, planned)


def _sealed(sweep: Sweep, receipts: list[Receipt]) -> Iterator[Fault]:
    yield from (Fault(where, what) for where, what in manifest.faults(sweep.paths))
    tables = {}
    for name in schema.JOURNALED:
        path = sweep.paths.sealed(name)
        if path.exists():
            tables[name] = _compared(path, name)
        elif name not in COUNTED or any(getattr(receipt, COUNTED[name]) for receipt in receipts):
            yield Fault(str(path), "is missing, though the sweep is sealed")
            return
        else:
            tables[name] = _empty(name)  # sealed by a version without this table; what the manifest names exists
    yield from _rows("sealed sweep", tables, receipts, sweep.walk, None)


def _compared(path: Location, name: str) -> pa.Table:
    """Read the columns of a table that are compared with receipts."""
    wanted = {*schema.table(name).key, "ip", "port", "outcome", "round"}
    return schema_versions.read(path, name, [column for column in schema.table(name).arrow.names if column in wanted])


def _rows(
    where: str, tables: dict[str, pa.Table], receipts: list[Receipt], walk: Walk, planned: Range | None
) -> Iterator[Fault]:
    """Check rows against receipts: their number, outcomes and keys, and that each is a target of its range (or of the plan)."""
    for name in VISITS_TABLES:
        rounds = [number for number in Round if number.visits_table == name]
        expected_outcomes: Counter[str] = Counter()
        for receipt in receipts:
            expected_outcomes.update({row.outcome: row.targets for row in receipt.outcomes if receipt.round in rounds})
        if _outcomes(tables[name], rounds) != expected_outcomes:
            yield Fault(where, f"has other outcomes in `{name}` than in its receipts")
    for name, column in COUNTED.items():
        table, expected = tables[name], sum(getattr(receipt, column) for receipt in receipts)
        if len(table) != expected:
            yield Fault(where, f"has {plural(len(table), 'row')} in `{name}`, its receipts say {expected}")
        keys = schema.table(name).key
        if len(table.group_by(list(keys)).aggregate([])) != len(table):
            yield Fault(where, f"has a target twice in `{name}`")
    if planned and planned.number >= walk.range_counts[planned.shard]:
        return  # later rounds: their targets come from earlier rows, and the receipt counts them
    responses = tables["responses"]
    shard, local = walk.locate(np.asarray(responses["ip"]), np.asarray(responses["port"]))
    inside = shard >= 0
    if planned:
        inside = (shard == planned.shard) & (local >= planned.first_index) & (local <= planned.last_index)
    if not inside.all():
        yield Fault(where, f"has {plural(int((~inside).sum()), 'row')} in `responses` of targets that it lacks")


def _outcomes(table: pa.Table, rounds: list[Round]) -> Counter[str]:
    """Count the outcomes of the visits of some rounds; `tls` has those of all rounds."""
    if "round" in table.column_names:
        table = table.filter(pc.is_in(table["round"], pa.array(rounds, pa.uint8())))
    return Counter(table["outcome"].to_pylist())


def seal(sweep: Sweep, *, sealed_at: int, code_version: str) -> None:
    """Compact a verified sweep into sorted tables, and write its row. Raises CensusError if it does not add up."""
    if first := next(faults(sweep), None):
        raise CensusError(f"the sweep is not sealed, since it does not add up: {first.where} {first.what}")
    if sweep.paths.sealed("sweeps").exists():
        _tidy(sweep.paths)
        return
    receipts = read_receipts(sweep.paths)
    fillings = {"associations": _filling(sweep.paths)}
    written = [
        _compact(sweep.paths, sweep.plan.digest, receipts, name, fillings.get(name)) for name in schema.JOURNALED
    ]
    written.append(_write(sweep.paths, sweep.plan.digest, list(map(msgspec.to_builtins, receipts)), "receipts"))
    written.append(_write(sweep.paths, sweep.plan.digest, second_looks(receipts), "second_looks"))
    row = sweep_row(sweep.plan, receipts, sealed_at, code_version)
    row["manifest_sha256"] = manifest.put(sweep.paths, written)
    attestation.seal(sweep.paths, str(row["manifest_sha256"]), row)
    store.unlink(sweep.paths.secret)  # first: wherever a crash cuts the rest off, a sealed sweep has no secret
    _write(sweep.paths, sweep.plan.digest, [row], "sweeps")
    _tidy(sweep.paths)


def _tidy(paths: SweepPaths) -> None:
    """Remove what a sealed sweep needs no more; what a crash left is removed by the next seal."""
    store.unlink(paths.secret)  # a version before left it if it was killed here
    for name in schema.JOURNALED:
        for path in store.entries(paths.work / name, "*.parquet"):
            store.unlink(path)
    store.remove(paths.work / "leases")
    visit_log.forget(paths)


def _filling(paths: SweepPaths) -> Filling:
    """Return a function that fills in the columns of associations that depend on the whole sweep."""
    checks, controls = harm_targets.checks(paths), harm_targets.controls(paths)
    reached = harm_targets.reached(paths, checks)
    return lambda rows: _on_control_port(harm_targets.with_check_results(rows, checks, reached), controls)


def _on_control_port(associations: pa.Table, controls: pa.Table) -> pa.Table:
    """Mark the associations at addresses that answered on the control port too; the others stay null, as few were probed there."""
    at = associations.schema.get_field_index("control_port_open")
    answered = pc.is_in(associations["ip"], controls["ip"])
    return associations.set_column(
        at, associations.schema.field(at), pc.if_else(answered, True, pa.scalar(None, pa.bool_()))
    )


def _empty(name: str) -> pa.Table:
    return schema.table(name).arrow.empty_table()


def _compact(
    paths: SweepPaths, digest: str, receipts: list[Receipt], table: str, filling: Filling | None = None
) -> Part:
    """Join the parts of a table that receipts name, and fill in each piece."""
    named = [part.file for receipt in receipts for part in receipt.parts if part.table == table]
    files = store.files(paths.part(table, file) for file in named)
    joined = parts.merged(files, table) if files else [_empty(table)]
    pieces = map(filling, joined) if filling else joined
    return parts.write_pieces(paths.sealed(table), pieces, table, paths.id, digest=digest)


def _write(paths: SweepPaths, digest: str, rows: list[dict[str, object]], table: str) -> Part:
    return parts.write(
        paths.sealed(table), pa.Table.from_batches([parts.from_rows(rows, table)]), table, paths.id, digest=digest
    )
