"""A shard on its way through a worker: the ranges that are left, those that are open, and its sender."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from pipeline.lake.pending import PendingRange


@dataclass(slots=True)
class ShardRun:
    """A shard that a caller waits for. One sender sends all of it, so that no address is visited on two ports at once."""

    number: int
    ranges: Iterator[PendingRange | None]
    done: Future[int] = field(default_factory=Future)
    """Set to the number of finished ranges when all are done."""
    sender: int | None = None
    """The number of its sender: the first that takes one of its ranges. Later rounds always use sender 0."""
    open: set[str] = field(default_factory=set)
    """The keys of the ranges that are being run."""
    finished: int = 0
    exhausted: bool = False
