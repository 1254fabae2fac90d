"""The work of a sweep that is pending: shards with unfinished ranges, and those ranges, one by one as their leases are taken."""

import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.lake import companion_targets, harm_targets, receipts, second_visit_targets
from pipeline.lake.companion_targets import Companions
from pipeline.lake.layout import Sweep
from pipeline.lake.leases import Leases
from pipeline.record.rounds import Round
from pipeline.space.shard import Range, Walk

#: Seconds between looks whether a range that another worker has leased has its receipt or is free.
LOOK_SECONDS = 1.0
#: A range, with its targets unless it is one of probes.
PendingRange = tuple[Range, pa.Table | None]


def pending_shards(sweep: Sweep) -> list[tuple[Round, int]]:
    """Return the shards with a range that has no receipt, as (round, shard), in the first round that is not done.

    Later rounds wait: their targets are known only when the rounds before them are done. Empty if all rounds are done.
    """
    done = receipts.finished(sweep.paths)
    rounds = (
        _unprobed(sweep.walk, done),
        _unvisited(sweep, done),
        _unchecked(sweep, done),
        _unaccompanied(sweep, done),
    )
    by_round = ([(round_, shard) for shard in shards] for round_, shards in zip(Round, rounds, strict=True))
    return next(filter(None, by_round), [])


def is_probed(sweep: Sweep, shard: int) -> bool:
    """Return whether all ranges of probes of a shard have their receipts."""
    return _is_probed(sweep.walk, shard, receipts.finished(sweep.paths))


def _is_probed(walk: Walk, shard: int, done: Set[str]) -> bool:
    return all(range_.key in done for range_ in walk.ranges(shard))


def _unprobed(walk: Walk, done: Set[str]) -> Iterator[int]:
    return (shard for shard in range(walk.shards) if not _is_probed(walk, shard, done))


def _unvisited(sweep: Sweep, done: Set[str]) -> Iterator[int]:
    for shard in range(sweep.walk.shards):
        visits = second_visit_targets.of_shard(sweep, shard)
        if visits and visits[0].key not in done:
            yield shard


def _unchecked(sweep: Sweep, done: Set[str]) -> Iterator[int]:
    planned = harm_targets.planned(sweep)
    yield from sorted({check.range.shard for key, check in planned.items() if key not in done})


def _unaccompanied(sweep: Sweep, done: Set[str]) -> Iterator[int]:
    planned = companion_targets.planned(sweep)
    yield from sorted({range_.shard for key, range_ in planned.items() if key not in done})


@dataclass(frozen=True, slots=True)
class PendingWork:
    """The pending work of a sweep, as one worker takes it.

    Its iterators yield ranges whose leases this worker has just taken. They yield None while others have leased all that is left.
    """

    sweep: Sweep
    leases: Leases
    _companions: dict[int, Companions] = field(default_factory=dict)

    def of_round(self, round_: Round, shard: int) -> Iterator[PendingRange | None]:
        """Yield the pending ranges of a shard in a round."""
        return {
            Round.PROBES: self.probes,
            Round.SECOND_VISITS: self.second_visits,
            Round.HARM_CHECKS: self.checks,
            Round.COMPANIONS: self.companions,
        }[round_](shard)

    def probes(self, number: int) -> Iterator[PendingRange | None]:
        """Yield the pending ranges of probes of a shard."""
        return self._leased([(range_, None) for range_ in self.sweep.walk.ranges(number)])

    def second_visits(self, number: int) -> Iterator[PendingRange | None]:
        """Yield the range of a shard's second visits, if it has one that is pending."""
        visits = second_visit_targets.of_shard(self.sweep, number)
        return self._leased([visits] if visits else [])

    def checks(self, number: int) -> Iterator[PendingRange | None]:
        """Yield the pending harm checks of a shard whose visits are done; wait for those that this worker runs already."""
        done = receipts.finished(self.sweep.paths)
        walk = self.sweep.walk
        unchecked = [
            visits
            for visits in second_visit_targets.ranges(self.sweep, number)
            if harm_targets.key(walk, visits) not in done
        ]
        checks = (harm_targets.of_range(self.sweep, visits) for visits in unchecked)
        return self._leased([check for check in checks if check])

    def companions(self, number: int) -> Iterator[PendingRange | None]:
        """Yield the pending companion SYNs of a shard whose visits are done; wait for those that this worker runs already."""
        return self._leased(list(Companions(self.sweep, number).ready()))

    def following(self, visits: Range) -> Iterator[PendingRange]:
        """Yield what follows a range whose visits have just been done: its harm check, and companion SYNs that can begin now.

        Left out are those whose lease is not free.
        """
        check = self.check(visits)
        if check:
            yield check
        if visits.shard not in self._companions:
            self._companions[visits.shard] = Companions(self.sweep, visits.shard)
        for companions in self._companions[visits.shard].ready():
            key = companions[0].key
            if self._has_receipt(key) or not self.leases.take(key):
                continue
            if self._has_receipt(key):
                self.leases.drop(key)  # another worker has finished it meanwhile
            else:
                yield companions

    def forget(self) -> None:
        """Find out again which companion SYNs can begin: receipts of visits have become void."""
        self._companions.clear()

    def check(self, visits: Range) -> PendingRange | None:
        """Return the harm check of a range whose visits have just been done, if it has one and its lease is free."""
        check = harm_targets.of_range(self.sweep, visits)
        return check if check and self.leases.take(check[0].key) else None

    def _leased(self, pending: Sequence[PendingRange]) -> Iterator[PendingRange | None]:
        """Yield ranges as their leases are taken, until each of them has a receipt."""
        while pending := self._without_receipt(pending):
            leased_by_others = []
            for range_ in pending:
                key = range_[0].key
                if not self.leases.take(key):
                    leased_by_others.append(range_)
                elif self._has_receipt(key):
                    self.leases.drop(key)  # its last holder has finished it meanwhile
                else:
                    yield range_
            pending = leased_by_others
            again = time.monotonic() + LOOK_SECONDS
            while pending and time.monotonic() < again:
                yield None

    def _has_receipt(self, key: str) -> bool:
        return self.sweep.paths.receipt(key).exists()

    def _without_receipt(self, pending: Sequence[PendingRange]) -> Sequence[PendingRange]:
        done = receipts.finished(self.sweep.paths) if pending else set()
        return [range_ for range_ in pending if range_[0].key not in done]
