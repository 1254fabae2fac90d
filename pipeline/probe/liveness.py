"""Liveness checks: SYNs outside the plan to single hosts, to see whether they still answer.

A SYN without an answer is sent again once. The cookies are made with a secret of their own. The SYNs take from the same budget as
all probes, and a SYN-ACK to them is reset.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import Answers

Target = tuple[int, int]
"""Address and port."""


class Liveness(NamedTuple):
    """The result of one check: whether the first SYN was answered and, if not, whether the second was; None if none was sent."""

    target: Target
    sent_at: float
    """When the first SYN left, in seconds of the monotonic clock."""
    first: bool
    second: bool | None


@dataclass(slots=True)
class _Check:
    """A target that is being checked: when the first and the last SYN left, how many did, and whether one was answered."""

    target: Target
    first_sent_at: float = 0.0
    last_sent_at: float = 0.0
    syns: int = 0
    answered: bool = False


@dataclass(slots=True)
class LivenessCheck:
    """Add targets, send what is `due`, feed it the answers, and take the `results`."""

    secret: Secret
    patience: float
    """How long a SYN may go without an answer, in seconds."""
    retransmits: bool = True
    """A SYN without an answer is sent again, once."""
    sent: int = 0
    _unsent: deque[_Check] = field(default_factory=deque)
    _open: dict[Target, _Check] = field(default_factory=dict)

    def add(self, target: Target) -> bool:
        """Check a target as soon as there is budget; False if a check of it is under way."""
        if target in self._open:
            return False
        self._open[target] = check = _Check(target)
        self._unsent.append(check)
        return True

    def due(self, now: float, grant: Callable[[int], int]) -> Iterator[tuple[U32, NDArray[np.uint16]]]:
        """Yield addresses and ports to send SYNs to now, as far as `grant` allows: it says how many of a wanted number may go."""
        if not self._unsent:
            return
        granted = [self._unsent.popleft() for _ in range(grant(len(self._unsent)))]
        checks = [check for check in granted if not check.answered]
        for check in checks:
            check.first_sent_at = check.first_sent_at or now
            check.last_sent_at = now
            check.syns += 1
        self.sent += len(checks)
        if checks:
            yield _arrays([check.target for check in checks])

    def begin_again(self) -> None:
        """Begin those without an answer again: SYNs or answers of theirs were lost on our own link."""
        waiting = {check.target for check in self._unsent}
        for check in self._open.values():
            if check.syns and not check.answered:
                check.syns, check.first_sent_at = 0, 0.0
                if check.target not in waiting:
                    self._unsent.append(check)

    def receive(self, answers: Answers) -> None:
        """Take SYN-ACKs to these SYNs (`probes.answers_to`)."""
        for target in zip(answers.address.tolist(), answers.port.tolist(), strict=True):
            if target in self._open:
                self._open[target].answered = True

    def results(self, now: float) -> list[Liveness]:
        """The results of the checks that are over by now, each once."""
        over = [c for c in self._open.values() if c.syns and (c.answered or now - c.last_sent_at >= self.patience)]
        results = []
        for check in over:
            if check.answered or check.syns == 2 or not self.retransmits:
                del self._open[check.target]
                first = check.answered and check.syns == 1
                second = check.answered if check.syns == 2 else None
                results.append(Liveness(check.target, check.first_sent_at, first, second))
            else:
                check.last_sent_at = float("inf")
                self._unsent.append(check)
        return results

    @property
    def pending(self) -> bool:
        """There are SYNs to be sent."""
        return bool(self._unsent)


def _arrays(targets: Sequence[Target]) -> tuple[U32, NDArray[np.uint16]]:
    addresses, ports = zip(*targets, strict=True)
    return np.array(addresses, dtype=np.uint32), np.array(ports, dtype=np.uint16)
