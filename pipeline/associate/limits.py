"""Limits on concurrent conversations: in all, per /24 and per address. Pure."""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Target = TypeVar("Target")


@dataclass(slots=True)
class AdmissionQueue(Generic[Target]):
    """A queue of targets in order of arrival; a target whose /24 or address is busy is deferred until that is free.

    At most `at_once` conversations are open: at most `per_slash24` to one /24, and one to an address.
    """

    at_once: int
    per_slash24: int
    _queue: deque[tuple[int, Target]] = field(default_factory=deque)
    _deferred: defaultdict[int, deque[tuple[int, Target]]] = field(default_factory=lambda: defaultdict(deque))
    _blocks: Counter[int] = field(default_factory=Counter)
    _addresses: set[int] = field(default_factory=set)
    _queued: int = 0

    def __len__(self) -> int:
        """How many targets are queued or deferred."""
        return self._queued

    @property
    def open(self) -> int:
        """How many conversations are open."""
        return len(self._addresses)

    def add(self, address: int, target: Target) -> None:
        """Queue a target."""
        self._queued += 1
        self._queue.append((address, target))

    def take(self) -> tuple[int, Target] | None:
        """The next target that may be visited, which then counts as open; None if none may."""
        while self._queue and self.open < self.at_once:
            address, target = self._queue.popleft()
            block = address >> 8
            if address in self._addresses or self._blocks[block] >= self.per_slash24:
                self._deferred[block].append((address, target))
                continue
            self._addresses.add(address)
            self._blocks[block] += 1
            self._queued -= 1
            return address, target
        return None

    def release(self, address: int) -> None:
        """Count an address's conversation as closed; the targets deferred for its /24 go first in the queue."""
        block = address >> 8
        self._addresses.discard(address)
        self._blocks[block] -= 1
        if not self._blocks[block]:
            del self._blocks[block]
        self._queue.extendleft(reversed(self._deferred.pop(block, deque())))
