"""Extra probes, which measure the measurement: a second SYN to some targets (how many does one SYN miss?), and a SYN to a control
port, where nothing should answer (which prefixes answer on every port?).

Cookies of each kind are others, so an answer shows which kind of probe it answers. Its SYN-ACK is reset. A target
that answers a second SYN alone is handed on to the associators, so that what the first SYN missed can be counted in services.
Extra probes take from the same budget as all probes, and obey the same opt-out register.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.probes import Probes, answers_to
from pipeline.probe.sampling import Sample, sampling_values
from pipeline.space.ranges import I64, U32
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Answers

U16 = NDArray[np.uint16]
#: The names of both kinds.
SECOND, CONTROL = "second", "control"


@dataclass(frozen=True, slots=True)
class ExtraProbe:
    """One kind of extra probes. Each target in `sample` gets one, `delay` seconds after the plan's own probe.

    With a `control_port` it goes there instead, once per address: only targets on `plan_port` get one.
    """

    name: str
    secret: Secret
    sample: Sample
    delay: float = 0.0
    control_port: int = 0
    plan_port: int = 0

    def select(self, values: U32, ports: U16) -> I64:
        """The indices of the targets that get one, by their sampling values and ports; both of shape (n,)."""
        inside = self.sample.contains(values)
        return np.flatnonzero(inside & (ports == self.plan_port) if self.control_port else inside)

    def ports(self, plan_ports: U16) -> U16:
        """The ports that these probes go to, for targets on these ports of the plan."""
        return np.full(len(plan_ports), self.control_port, dtype=np.uint16) if self.control_port else plan_ports

    def plan_ports(self, ports: U16) -> U16:
        """The inverse of `ports`: the plan's ports of the targets whose answers came from these ports."""
        return np.full(len(ports), self.plan_port, dtype=np.uint16) if self.control_port else ports

    def answers(self, answers: Answers, tags: U32) -> NDArray[np.bool_]:
        """Which packets, whose targets have these tags, are SYN-ACKs to probes of this kind; shape (n,)."""
        mine = answers_to(self.secret, answers, tags)
        return mine & (answers.port == self.control_port) if self.control_port else mine


class Due(NamedTuple):
    """Probes of one kind that are due `at` a time, for targets at these positions of an open range; arrays of shape (n,)."""

    at: float
    kind: ExtraProbe
    serial: int
    position: I64
    addresses: U32
    ports: U16

    def take(self, which: slice) -> "Due":
        """A part of them."""
        return self._replace(position=self.position[which], addresses=self.addresses[which], ports=self.ports[which])


@dataclass(slots=True)
class ExtraProbes:
    """The extra probes that are still to be sent: a queue for each kind, since all probes of a kind have the same delay."""

    kinds: tuple[ExtraProbe, ...]
    sampler: Secret
    _queues: dict[str, deque[Due]] = field(default_factory=dict)

    @property
    def longest_delay(self) -> float:
        """The delay of the kind that comes last, in seconds."""
        return max((kind.delay for kind in self.kinds), default=0.0)

    def schedule(self, serial: int, position: I64, probes: Probes, tags: U32, now: float) -> None:
        """Queue what the targets of an open range that are probed now get later; positions, probes and tags have the same shape."""
        if not self.kinds:
            return
        values = sampling_values(self.sampler, tags)
        for kind in self.kinds:
            which = kind.select(values, probes.ports)
            if len(which):
                ports = kind.ports(probes.ports[which])
                due = Due(now + kind.delay, kind, serial, position[which], probes.addresses[which], ports)
                self._queues.setdefault(kind.name, deque()).append(due)

    def due(self, now: float, grant: Callable[[int], int]) -> Iterator[Due]:
        """Yield what is to be sent by now, as far as `grant` allows: it says how many of a wanted number may go."""
        for queue in self._queues.values():
            while queue and queue[0].at <= now:
                due = queue.popleft()
                granted = grant(len(due.position))
                if granted < len(due.position):
                    queue.appendleft(due.take(slice(granted, None)))
                if not granted:
                    break
                yield due.take(slice(granted))

    def clear(self) -> None:
        """Drop all that is queued."""
        self._queues.clear()

    @property
    def next_due(self) -> float:
        """When the next are due, in seconds of the clock; infinite if none are queued."""
        return min((queue[0].at for queue in self._queues.values() if queue), default=float("inf"))
