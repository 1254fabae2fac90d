"""Each target once: an associator visits nobody twice in a sweep, however often it is told to.

A range that runs again, after a crash or a lost link, has other attempts; targets whose conversation was kept are not visited again.
Only a receipt that was made void, on record in the lake, lets the targets of its range be visited once more.
"""

from dataclasses import dataclass, field

from pipeline.errors import GuardError
from pipeline.lake import store
from pipeline.lake.layout import SweepPaths
from pipeline.space.shard import range_key

#: Ranges that are open at an associator at once, at most: each holds a file. Harm checks of some minutes are the most there are.
MOST_OPEN = 256
Target = tuple[int, int]


@dataclass(slots=True)
class Visited:
    """The targets that this process has visited, by the number of their range."""

    paths: SweepPaths
    _targets: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    _voids: dict[tuple[int, int], int] = field(default_factory=dict)

    def begin(self, shard: int, number: int, opened: int) -> None:
        """Begin an attempt at a range, while so many are open. Raises GuardError if those are too many."""
        if opened >= MOST_OPEN:
            raise GuardError(f"more than {MOST_OPEN} ranges are open at once, as in no sweep; nothing more was sent")
        key = (shard, number)
        voids = len(store.entries(self.paths.voids, f"{range_key(shard, number)}.*.json"))
        if voids > self._voids.get(key, 0):
            self._targets.pop(key, None)
        self._voids[key] = voids

    def add(self, shard: int, number: int, target: Target) -> bool:
        """Note that a target of a range is visited; whether it was not before."""
        targets = self._targets.setdefault((shard, number), set())
        before = len(targets)
        targets.add(_number(target))
        return len(targets) > before

    def forget(self, shard: int, number: int, target: Target) -> None:
        """Take a visit back that was not made, or whose result was lost by our own fault."""
        self._targets.get((shard, number), set()).discard(_number(target))


def _number(target: Target) -> int:
    address, port = target
    return address << 16 | port
