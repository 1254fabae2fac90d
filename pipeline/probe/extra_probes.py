"""Probes beside the plan's own, which measure the measurement: a second SYN to some targets (how many are missed), a SYN to a
port where nothing should answer (which prefixes answer everything).

Their cookies are made with secrets of their own, so an answer tells which probe it answers. Nobody is greeted for them: their
SYN-ACKs are reset. They are sent from the same budget, and held back by the same register, as any probe.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.sampling import Sample, sampling_values
from pipeline.space.ranges import I64, U32
from pipeline.wire.cookie import WHOLE, Secret, Slice, bake
from pipeline.wire.packet import ACK, RST, SYN, Answers

U16 = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class ExtraProbe:
    """One kind of them. The targets of a lot get one `delay` seconds after their own probe.

    With a `port`, it goes there instead, once an address: at the targets whose own port is `beside`.
    """

    name: str
    secret: Secret
    lot: Sample
    delay: float
    port: int = 0
    beside: int = 0

    @classmethod
    def of(
        cls, name: str, key: bytes, lot: Sample, *, delay: float, port: int = 0, beside: int = 0, ports: Slice = WHOLE
    ) -> "ExtraProbe":
        """One whose secret is derived from the sweep's; `ports` are its sender's."""
        return cls(name, Secret.derived(key, f"{name} probe", ports), lot, delay, port, beside)

    def chosen(self, drawn: U32, ports: U16) -> I64:
        """The places of those targets that get one, by their draws."""
        inside = self.lot.holds(drawn)
        return np.flatnonzero(inside & (ports == self.beside) if self.port else inside)

    def asked(self, ports: U16) -> U16:
        """The ports that are asked beside these."""
        return np.full(len(ports), self.port, dtype=np.uint16) if self.port else ports

    def home(self, ports: U16) -> U16:
        """The plan's own ports of targets that answered on these."""
        return np.full(len(ports), self.beside, dtype=np.uint16) if self.port else ports


class Due(NamedTuple):
    """Probes of one kind for targets of range `number`, which are at these places in it; arrays of shape (n,)."""

    at: float
    aside: ExtraProbe
    number: int
    position: I64
    addresses: U32
    ports: U16

    def part(self, which: slice) -> "Due":
        """Some of them."""
        return self._replace(position=self.position[which], addresses=self.addresses[which], ports=self.ports[which])


@dataclass(slots=True)
class ExtraProbes:
    """What is still to be sent: a queue for each kind, since each has one delay."""

    kinds: tuple[ExtraProbe, ...]
    chooser: Secret
    _queues: dict[str, deque[Due]] = field(default_factory=dict)

    def choose(self, number: int, position: I64, addresses: U32, ports: U16, tags: U32, now: float) -> None:
        """Put aside what targets that are probed now are to get later; `tags` are those of their probes."""
        drawn = sampling_values(self.chooser, tags)
        for aside in self.kinds:
            place = aside.chosen(drawn, ports)
            if len(place):
                due = Due(
                    now + aside.delay, aside, number, position[place], addresses[place], aside.asked(ports[place])
                )
                self._queues.setdefault(aside.name, deque()).append(due)

    def due(self, now: float, grant: Callable[[int], int]) -> Iterator[Due]:
        """What is to be sent by now, as far as `grant` allows of so many."""
        for queue in self._queues.values():
            while queue and queue[0].at <= now:
                due = queue.popleft()
                granted = grant(len(due.position))
                if granted < len(due.position):
                    queue.appendleft(due.part(slice(granted, None)))
                if not granted:
                    break
                yield due.part(slice(granted))

    def clear(self) -> None:
        """Send none of it."""
        self._queues.clear()

    @property
    def next_due(self) -> float:
        """When the next are due, in seconds of the clock; infinite if none are."""
        return min((queue[0].at for queue in self._queues.values() if queue), default=float("inf"))

    def whose(self, answers: Answers, others: I64) -> Iterator[tuple[ExtraProbe, I64]]:
        """Of the packets at these places, the SYN-ACKs that answer probes of each kind."""
        accepted = (answers.flags[others] & (SYN | ACK | RST)) == SYN | ACK
        others = others[accepted]
        for aside in self.kinds:
            cookie = bake(aside.secret, answers.address[others], answers.port[others])
            right = (cookie.source_port == answers.our_port[others]) & (cookie.sequence == answers.our_sequence[others])
            if aside.port:
                right &= answers.port[others] == aside.port
            if right.any():
                yield aside, others[right]
