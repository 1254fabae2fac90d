"""The targets of the fourth round, companion SYNs, derived from the rows of the rounds before it.

Anyone can derive them again from the lake. Each range of the first two rounds that reached a DICOM speaker has a range of companion
SYNs, numbered after the harm checks: the companion ports of its addresses. An address that spoke in several ranges belongs to the
first of them, so each of its ports gets one SYN. Hosts that the harm check deferred get none, so that it measures visits alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline import schema
from pipeline.lake import harm_targets, receipts, schema_versions, second_visit_targets, store
from pipeline.lake.layout import Sweep
from pipeline.lake.store import Location
from pipeline.outcome import SPEAKS_DICOM
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk

COLUMNS = ("ip", "shard", "range", "round", "outcome", "started_at")


def first_number(walk: Walk, shard: int) -> int:
    """Return the number of a shard's first range of companion SYNs, after its harm checks: one for each earlier range."""
    return 2 * harm_targets.first_number(walk, shard)


class Companions:
    """The ranges of companion SYNs of one shard, in the order of the ranges that they follow.

    A range comes only after all ranges before it are done: until then nobody knows which addresses are its own.
    """

    def __init__(self, sweep: Sweep, shard: int) -> None:
        self._sweep, self._shard = sweep, shard
        self._visits = list(second_visit_targets.ranges(sweep, shard)) if sweep.plan.companions.ports else []
        self._known = pa.array([], pa.uint32())

    def ready(self) -> Iterator[tuple[Range, pa.Table]]:
        """Yield the ranges whose targets are known by now, each once, with their targets."""
        while self._visits and receipts.read_receipt(self._sweep.paths, self._visits[0].key):
            following = self._following(self._visits.pop(0))
            if following:
                yield following

    def _following(self, visits: Range) -> tuple[Range, pa.Table] | None:
        """Return what follows a range of visits; None if it found no further address that speaks DICOM."""
        read = _read(receipts.parts_of(self._sweep.paths, visits.key, "associations"))
        speakers = _first_visits(read.filter(pc.invert(pc.is_in(read["ip"], self._known))))
        if not len(speakers):
            return None
        self._known = pa.concat_arrays([self._known, speakers["ip"].combine_chunks()])
        targets = _at_each_port(speakers, self._sweep.plan.companions.ports)
        return _range(self._sweep.walk, self._shard, visits.number, len(targets)), targets


def planned(sweep: Sweep) -> dict[str, Range]:
    """Return all ranges of companion SYNs that the visits made so far require, by their keys."""
    ports = len(sweep.plan.companions.ports)
    if not ports:
        return {}
    speakers = _read(receipts.files(sweep.paths, "associations"))
    owners = speakers.group_by("ip").aggregate([("shard", "min"), ("range", "min")])
    counted = owners.group_by(["shard_min", "range_min"]).aggregate([("ip", "count")])
    ranges = (
        _range(sweep.walk, row["shard_min"], row["range_min"], ports * row["ip_count"]) for row in counted.to_pylist()
    )
    return {range_.key: range_ for range_ in ranges}


def _range(walk: Walk, shard: int, visits: int, targets: int) -> Range:
    """Return the companion SYNs of a shard's range of visits, by the number of that range and how many targets there are."""
    return Range(shard, first_number(walk, shard) + visits, 0, targets - 1)


def _read(files: list[Location]) -> pa.Table:
    """Read the visits of the first two rounds to addresses that spoke DICOM."""
    arrow = schema.table("associations").arrow
    wanted = pa.schema([(name, arrow.field(name).type) for name in COLUMNS])
    paths = [str(file) for file in store.files(files)]
    if not paths:
        return wanted.empty_table()
    with schema_versions.damage_named(Path(paths[0]).parent, "associations"):
        rows = ds.dataset(paths, format="parquet", schema=arrow).to_table(columns=wanted.names).cast(wanted)
    earlier = pc.less(pc.fill_null(rows["round"], Round.PROBES.value), Round.HARM_CHECKS.value)
    speaks = pc.is_in(rows["outcome"], pa.array([str(outcome) for outcome in SPEAKS_DICOM]))
    return rows.filter(pc.and_(earlier, speaks))


def _first_visits(speakers: pa.Table) -> pa.Table:
    """Return each address once (`ip`), with the beginning of its first visit (`visited_at`), in order of address."""
    visits = speakers.group_by("ip").aggregate([("started_at", "min")]).rename_columns(["ip", "visited_at"])
    return visits.sort_by("ip")


def _at_each_port(speakers: pa.Table, ports: tuple[int, ...]) -> pa.Table:
    """Return the targets: every port of every address, with the number of the port in the plan."""
    pieces = [
        speakers.append_column("port", pa.repeat(pa.scalar(port, pa.uint16()), len(speakers))).append_column(
            "number", pa.repeat(pa.scalar(number, pa.uint8()), len(speakers))
        )
        for number, port in enumerate(ports)
    ]
    return pa.concat_tables(pieces)
