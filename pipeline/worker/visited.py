"""Each target once: an associator visits nobody twice in a sweep, however often it is told to.

A range that runs again, after a crash or a lost link, has other attempts; targets whose conversation was kept are not visited again.
Only a receipt that was made void, on record in the lake, lets the targets of its range be visited once more.

An associator on another machine keeps what it visited in a file (`visited_file`), and so knows it after a restart too. A visit that
the end of its process cut off may be made once more, and never again after that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.errors import GuardError
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.space.shard import range_key
from pipeline.worker.visited_file import VisitedFile, VisitEvent

#: Ranges that are open at an associator at once, at most: each holds a file. Harm checks of some minutes are the most there are.
MOST_OPEN = 256
#: How long after it was sent to the worker a visit's result is taken to have arrived, in seconds.
ARRIVED_SECONDS = 1.0
Target = tuple[int, int]
RangeKey = tuple[int, int]


@dataclass(slots=True)
class Visited:
    """The targets that were visited, by the number of their range; in memory alone without a file."""

    paths: SweepPaths
    file: VisitedFile | None = None
    refused: int = 0
    """Targets that were to be visited again."""
    _targets: dict[RangeKey, set[int]] = field(default_factory=dict)
    _cut_off: dict[RangeKey, set[int]] = field(default_factory=dict)
    """Those of them whose only visit an earlier process did not finish."""
    _voids: dict[RangeKey, int] = field(default_factory=dict)
    _reported: list[tuple[float, RangeKey, Target]] = field(default_factory=list)
    """Visits whose results were sent to the worker, and when."""

    def __post_init__(self) -> None:
        for event, key, value in self.file.events() if self.file else ():
            targets, cut_off = self._of(key)
            match event:
                case VisitEvent.BEGUN if value in targets:
                    cut_off.discard(value)
                case VisitEvent.BEGUN:
                    targets.add(value)
                    cut_off.add(value)
                case VisitEvent.ENDED:
                    cut_off.discard(value)
                case VisitEvent.FORGOTTEN:
                    targets.discard(value)
                    cut_off.discard(value)
                case VisitEvent.VOID:
                    targets.clear()
                    cut_off.clear()
                    self._voids[key] = value

    def begin(self, shard: int, number: int, opened: int) -> None:
        """Begin an attempt at a range, while so many are open. Raises GuardError if those are too many."""
        if opened >= MOST_OPEN:
            raise GuardError(f"more than {MOST_OPEN} ranges are open at once, as in no sweep; nothing more was sent")
        key = (shard, number)
        voids = len(store.entries(self.paths.voids, f"{range_key(shard, number)}.*.json"))
        if voids > self._voids.get(key, 0):
            for targets in self._of(key):
                targets.clear()
            self._voids[key] = voids
            self._keep(VisitEvent.VOID, key, voids)

    def add(self, shard: int, number: int, target: Target) -> bool:
        """Note that a target of a range is to be visited; whether it may be. One that may not is counted."""
        value = _number(target)
        targets, cut_off = self._of((shard, number))
        if value in targets and value not in cut_off:
            self.refused += 1
            return False
        cut_off.discard(value)
        targets.add(value)
        return True

    def note(self, shard: int, number: int, target: Target) -> None:
        """Note that a visit begins now, before its first byte is sent. Raises CensusError if that cannot be kept."""
        self._keep(VisitEvent.BEGUN, (shard, number), _number(target))

    def arrived(self, shard: int, number: int, targets: Iterable[Target]) -> None:
        """Note that results of these targets are in the worker's journals: their visits were not cut off."""
        cut_off = self._of((shard, number))[1]
        for value in cut_off.intersection(map(_number, targets)):
            cut_off.discard(value)
            self._keep(VisitEvent.ENDED, (shard, number), value)

    def report(self, shard: int, number: int, target: Target, now: float) -> None:
        """Note that the result of a visit is sent to the worker."""
        if self.file:
            self._reported.append((now, (shard, number), target))

    def settle(self, now: float) -> None:
        """Keep which results have arrived at the worker by now, and make all that is kept durable."""
        if not self.file:
            return
        late = next((index for index, (at, _, _) in enumerate(self._reported) if now - at < ARRIVED_SECONDS), None)
        arrived, self._reported = self._reported[:late], self._reported[late:] if late is not None else []
        for _, key, target in arrived:
            self._keep(VisitEvent.ENDED, key, _number(target))
        self.file.sync(now)

    def forget(self, shard: int, number: int, target: Target) -> None:
        """Take a visit back that was not made, or whose result was lost by our own fault."""
        self._of((shard, number))[0].discard(_number(target))
        self._keep(VisitEvent.FORGOTTEN, (shard, number), _number(target))

    def _of(self, key: RangeKey) -> tuple[set[int], set[int]]:
        """The targets of a range that were visited, and those whose visit was cut off."""
        return self._targets.setdefault(key, set()), self._cut_off.setdefault(key, set())

    def _keep(self, event: VisitEvent, key: RangeKey, value: int) -> None:
        if self.file:
            self.file.append(event, key, value)


def _number(target: Target) -> int:
    address, port = target
    return address << 16 | port
