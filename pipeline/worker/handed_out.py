"""What was handed out to an associator on another machine, and so what it may send back: rows of those targets, each once.

Whatever else comes from there, replayed or invented, is not passed on: the writer would keep a file open for each range.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schema
from pipeline.record.receipt import VisitCounts
from pipeline.transport import messages

#: Tables that an associator has rows for, and those of them that have one row for each target.
TABLES = frozenset({"responses", "associations", "banners", "tls"})
OF_TARGETS = ("responses", "associations", "tls")
#: Columns that say which attempt at which range a row is of.
PLACE = {"shard": "shard", "range": "number", "attempt": "attempt"}
#: More SYNs than the kernel sends for one connection (tcp_syn_retries, ip-sysctl).
MOST_SYNS = 64
RangeKey = tuple[int, int]


@dataclass(slots=True)
class _Range:
    """A range that is open at the associator: its attempt, and the targets that each table has no row of."""

    attempt: int
    missing: dict[str, set[int]] = field(default_factory=lambda: {table: set() for table in OF_TARGETS})
    targets: int = 0
    banners: int = 0
    cooled: bool = False


@dataclass(slots=True)
class HandedOut:
    """The ranges that are open at an associator. `note` what goes out, and let pass what `takes` and `ends` say."""

    ranges: dict[RangeKey, _Range] = field(default_factory=dict)

    def note(self, message: messages.AnyMessage, rows: pa.RecordBatch | None) -> None:
        """Note a message of an engine's that goes out."""
        if not isinstance(message, messages.Rows | messages.Cooled):
            return
        range_ = self.ranges.setdefault((message.shard, message.number), _Range(message.attempt))
        if isinstance(message, messages.Cooled):
            range_.cooled = True
        elif rows is not None:
            range_.targets += rows.num_rows
            for missing in range_.missing.values():
                missing.update(_targets(rows))

    def takes(self, message: messages.Rows, rows: pa.RecordBatch | None) -> bool:
        """Whether rows are of targets that were handed out, none of which has been reported before; they are then."""
        range_ = self.ranges.get((message.shard, message.number))
        if range_ is None or message.attempt != range_.attempt or message.table not in TABLES or rows is None:
            return False
        described = schema.table(message.table)
        if rows.schema != described.arrow or not _is_of(rows, message) or not _has_known_words(rows, described):
            return False
        if message.table not in range_.missing:
            range_.banners += rows.num_rows
            return range_.banners <= range_.targets
        reported = _targets(rows)
        if len(set(reported)) < len(reported) or not range_.missing[message.table].issuperset(reported):
            return False
        range_.missing[message.table].difference_update(reported)
        return True

    def ends(self, message: messages.Cooled) -> bool:
        """Whether the associator may end this range now, with these counts; it is over then."""
        key = (message.shard, message.number)
        range_ = self.ranges.get(key)
        if range_ is None or not range_.cooled or message.attempt != range_.attempt or message.counts is not None:
            return False
        if not _possible(message.visits, range_.targets):
            return False
        del self.ranges[key]
        return True


def _targets(rows: pa.RecordBatch) -> list[int]:
    """Each row's address and port as one number."""
    address = np.asarray(rows["ip"]).astype(np.int64)
    targets: list[int] = ((address << 16) | np.asarray(rows["port"]).astype(np.int64)).tolist()
    return targets


def _is_of(rows: pa.RecordBatch, message: messages.Rows) -> bool:
    """Whether all rows say that they are of the message's range and attempt, as far as their table has it."""
    places = ((column, getattr(message, name)) for column, name in PLACE.items() if column in rows.schema.names)
    return all(pc.all(pc.equal(rows[column], value), min_count=0).as_py() for column, value in places)


def _has_known_words(rows: pa.RecordBatch, described: schema.Table) -> bool:
    """Whether each value of a column whose values are listed, such as an outcome, is one of the list, or is null where that may be."""
    for column in described.columns:
        if column.values:
            known = pa.array(column.allowed, rows[column.name].type)
            unknown = pc.invert(pc.is_in(rows[column.name], known))
            if column.field.nullable:
                unknown = pc.and_(unknown, pc.is_valid(rows[column.name]))
            if pc.any(unknown, min_count=0).as_py():
                return False
    return True


def _possible(visits: VisitCounts, targets: int) -> bool:
    """Whether so many visits can have been made to so many targets."""
    return (
        0 <= visits.connects <= targets
        and 0 <= visits.suppressed_visits <= targets
        and 0 <= visits.late_deadlines <= targets
        and 0 <= visits.syn_retransmits <= targets * MOST_SYNS
    )
