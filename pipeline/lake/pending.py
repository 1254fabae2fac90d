"""What is left to run: shards of which something is missing, and their ranges, one by one as their leases become ours."""

import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import pyarrow as pa

from pipeline.lake import harm_targets, receipts, second_visit_targets
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import Leases
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk

#: How often to look again whether a range that somebody else holds has its receipt or is free, in seconds.
LOOK_SECONDS = 1.0
#: A range, with its targets if it is one of second visits or of the harm check.
Task = tuple[Range, pa.Table | None]


def due(sweep: Sweep) -> list[tuple[Round, int]]:
    """The shards of which some range has no receipt, as (round, shard), in the first round that is not done; none if all are.

    Whom the second visits and the harm checks ask is known once the rounds before them are done.
    """
    done = receipts.finished(sweep.paths)
    rounds = (_unprobed(sweep.walk, done), _unvisited(sweep, done), _unchecked(sweep, done))
    found = ([(number, shard) for shard in shards] for number, shards in zip(Round, rounds, strict=True))
    return next(filter(None, found), [])


def is_probed(sweep: Sweep, shard: int) -> bool:
    """Whether all ranges of probes of a shard have their receipts."""
    return _is_probed(sweep.walk, shard, receipts.finished(sweep.paths))


def _is_probed(walk: Walk, shard: int, done: Set[str]) -> bool:
    return all(chosen.key in done for chosen in walk.ranges(shard))


def _unprobed(walk: Walk, done: Set[str]) -> Iterator[int]:
    return (shard for shard in range(walk.shards) if not _is_probed(walk, shard, done))


def _unvisited(sweep: Sweep, done: Set[str]) -> Iterator[int]:
    for shard in range(sweep.walk.shards):
        found = second_visit_targets.of_shard(sweep, shard)
        if found and found[0].key not in done:
            yield shard


def _unchecked(sweep: Sweep, done: Set[str]) -> Iterator[int]:
    planned = harm_targets.planned(sweep)
    yield from sorted({check.range.shard for key, check in planned.items() if key not in done})


@dataclass(frozen=True, slots=True)
class PendingWork:
    """What is left of a sweep, for one worker."""

    sweep: Sweep
    leases: Leases

    def of_round(self, round_: Round, shard: int) -> Iterator[Task | None]:
        """Yield what is left of a shard in a round; None as long as others hold all of it."""
        return {Round.PROBES: self.probes, Round.SECOND_VISITS: self.second_visits, Round.HARM_CHECKS: self.checks}[
            round_
        ](shard)

    def probes(self, number: int) -> Iterator[Task | None]:
        """Yield the ranges of a shard; None as long as others hold all that is left."""
        return self._leased([(chosen, None) for chosen in self.sweep.walk.ranges(number)])

    def second_visits(self, number: int) -> Iterator[Task | None]:
        """Yield the range of a shard's second visits, if there is one, as `probes` does."""
        found = second_visit_targets.of_shard(self.sweep, number)
        return self._leased([found] if found else [])

    def checks(self, number: int) -> Iterator[Task | None]:
        """Yield the harm checks of a shard whose visits are done, as `probes` does; those that this worker makes are waited for."""
        done = receipts.finished(self.sweep.paths)
        left = [
            v
            for v in second_visit_targets.ranges(self.sweep, number)
            if harm_targets.key(self.sweep.walk, v) not in done
        ]
        found = (harm_targets.of_range(self.sweep, visits) for visits in left)
        return self._leased([check for check in found if check])

    def check(self, visits: Range) -> Task | None:
        """The harm check of a range whose visits have just been done, if there is one and nobody holds its lease."""
        found = harm_targets.of_range(self.sweep, visits)
        return found if found and self.leases.take(found[0].key) else None

    def _leased(self, left: Sequence[Task]) -> Iterator[Task | None]:
        while left := self._without_receipt(left):
            others = []
            for task in left:
                key = task[0].key
                if not self.leases.take(key):
                    others.append(task)
                elif self.sweep.paths.receipt(key).exists():
                    self.leases.drop(key)  # whoever held it came to the end meanwhile
                else:
                    yield task
            left = others
            again = time.monotonic() + LOOK_SECONDS
            while left and time.monotonic() < again:
                yield None

    def _without_receipt(self, tasks: Sequence[Task]) -> Sequence[Task]:
        done = receipts.finished(self.sweep.paths) if tasks else set()
        return [task for task in tasks if task[0].key not in done]
