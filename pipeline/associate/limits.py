"""Whose turn it is: how many conversations are open at once, in all, to one /24 and to one address. Pure."""

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Turns(Generic[Item]):
    """A queue of targets, first come, first served, but for those whose /24 or address is busy: they wait aside.

    At most `at_once` conversations are open, `per_slash24` of them to one /24 and one to an address.
    """

    at_once: int
    per_slash24: int
    _ready: deque[tuple[int, Item]] = field(default_factory=deque)
    _aside: defaultdict[int, deque[tuple[int, Item]]] = field(default_factory=lambda: defaultdict(deque))
    _blocks: Counter[int] = field(default_factory=Counter)
    _addresses: set[int] = field(default_factory=set)
    _waiting: int = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._waiting

    @property
    def open(self) -> int:
        """How many conversations are open."""
        return len(self._addresses)

    def add(self, address: int, item: Item) -> None:
        """Let a target wait for its turn."""
        self._waiting += 1
        self._ready.append((address, item))

    def take(self) -> tuple[int, Item] | None:
        """The next target whose conversation may begin, which counts as open from now on; None if none may."""
        while self._ready and self.open < self.at_once:
            address, item = self._ready.popleft()
            block = address >> 8
            if address in self._addresses or self._blocks[block] >= self.per_slash24:
                self._aside[block].append((address, item))
                continue
            self._addresses.add(address)
            self._blocks[block] += 1
            self._waiting -= 1
            return address, item
        return None

    def over(self, address: int) -> None:
        """A conversation has ended: who waited for its /24 is next."""
        block = address >> 8
        self._addresses.discard(address)
        self._blocks[block] -= 1
        if not self._blocks[block]:
            del self._blocks[block]
        self._ready.extendleft(reversed(self._aside.pop(block, deque())))
