"""Liveness checks: SYNs outside the plan to single hosts, to see whether they answer.

A SYN without an answer is sent again once, if the check `retransmits`. Their cookies are of a kind of their own. The SYNs
take from the same budget as all probes, and a SYN-ACK to them is reset. Nothing goes to an address that the register withholds by
then.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.probes import Probes, answers_to
from pipeline.space.ranges import U32, Ranges
from pipeline.wire.cookie import Secret
from pipeline.wire.packet import ACK, RST, SYN, Answers

Target = tuple[int, int]
"""Address and port."""


class Liveness(NamedTuple):
    """The result of one check: whether the first SYN was answered and, if not, whether the second was; None if none was sent."""

    target: Target
    sent_at: float
    """When the first SYN left, in seconds of the monotonic clock."""
    first: bool
    second: bool | None
    syns: int = 1
    """How many SYNs left."""
    withheld: bool = False
    """The register came to withhold the address before the answer, or before the last SYN."""
    refused: bool = False
    """The answer was a reset; only in a check that takes resets."""
    ttl: int | None = None
    """That of the answer."""


@dataclass(slots=True)
class _Check:
    """A target that is being checked: when the first and the last SYN left, how many did, and whether one was answered."""

    target: Target
    first_sent_at: float = 0.0
    last_sent_at: float = 0.0
    syns: int = 0
    answered: bool = False
    sent: int = 0
    """All SYNs that left, those before our own link was cut off too."""
    refused: bool = False
    ttl: int | None = None
    withheld: bool = False


@dataclass(slots=True)
class LivenessCheck:
    """Add targets, send what is `due`, feed it the answers, and take the `results`."""

    secret: Secret
    patience: float
    """How long a SYN may go without an answer, in seconds."""
    retransmits: bool = True
    """A SYN without an answer is sent again, once."""
    takes_resets: bool = False
    """A reset is an answer too."""
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

    def due(self, now: float, grant: Callable[[int], int], withheld: Ranges) -> Iterator[Probes]:
        """Yield the SYNs to send now, as far as `grant` allows: it says how many of a wanted number may go."""
        if not self._unsent:
            return
        granted = [self._unsent.popleft() for _ in range(grant(len(self._unsent)))]
        kept = ~withheld.contains(np.array([check.target[0] for check in granted], dtype=np.uint32))
        for check, allowed in zip(granted, kept.tolist(), strict=True):
            check.withheld = not allowed
        checks = [check for check in granted if not check.answered and not check.withheld]
        for check in checks:
            check.first_sent_at = check.first_sent_at or now
            check.last_sent_at = now
            check.syns += 1
            check.sent += 1
        self.sent += len(checks)
        if checks:
            yield Probes.of(self.secret, *_arrays([check.target for check in checks]))

    def begin_again(self) -> None:
        """Begin those without an answer again: SYNs or answers of theirs were lost on our own link."""
        waiting = {check.target for check in self._unsent}
        for check in self._open.values():
            if check.syns and not check.answered:
                check.syns, check.first_sent_at = 0, 0.0
                if check.target not in waiting:
                    self._unsent.append(check)

    def answers(self, answers: Answers, tags: U32) -> NDArray[np.bool_]:
        """Which packets, whose targets have these tags, are answers to these SYNs; shape (n,)."""
        if not self.sent:
            return np.zeros(len(answers.address), dtype=np.bool_)
        mine = answers_to(self.secret, answers, tags)
        return mine | answers_to(self.secret, answers, tags, RST | ACK) if self.takes_resets else mine

    def receive(self, answers: Answers) -> None:
        """Take answers to these SYNs; the first one to each counts."""
        columns = (answers.address, answers.port, answers.flags, answers.ttl)
        for address, port, flags, ttl in zip(*(column.tolist() for column in columns), strict=True):
            check = self._open.get((address, port))
            if check and not check.answered:
                check.answered, check.refused, check.ttl = True, not flags & SYN, ttl

    def results(self, now: float) -> list[Liveness]:
        """The results of the checks that are over by now, each once."""
        over = [c for c in self._open.values() if c.withheld or self._is_over(c, now)]
        results = []
        for check in over:
            if check.withheld or check.answered or check.syns == 2 or not self.retransmits:
                del self._open[check.target]
                results.append(_result(check))
            else:
                check.last_sent_at = float("inf")
                self._unsent.append(check)
        return results

    def _is_over(self, check: _Check, now: float) -> bool:
        """Whether the last SYN of a check was answered, or has gone unanswered for long enough."""
        return bool(check.syns) and (check.answered or now - check.last_sent_at >= self.patience)

    def syns_to(self, target: Target) -> int:
        """How many SYNs of a check that is under way have left."""
        return self._open[target].sent if target in self._open else 0

    @property
    def pending(self) -> bool:
        """There are SYNs to be sent."""
        return bool(self._unsent)


def _result(check: _Check) -> Liveness:
    """The result of a check that is over."""
    first = check.answered and check.syns == 1
    second = check.answered if check.syns == 2 else None
    return Liveness(
        check.target, check.first_sent_at, first, second, check.sent, check.withheld, check.refused, check.ttl
    )


def _arrays(targets: Sequence[Target]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    addresses, ports = zip(*targets, strict=True)
    return np.array(addresses, dtype=np.uint32), np.array(ports, dtype=np.uint16)
