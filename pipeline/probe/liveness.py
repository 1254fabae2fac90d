"""SYNs that belong to no range: they ask hosts, by name, whether they are there, and are sent again once where nobody answered.

Their cookies are made with a secret of their own. They take from the same budget as any probe; who answers is reset.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import I64, U32
from pipeline.wire.cookie import Secret, bake
from pipeline.wire.packet import ACK, RST, SYN, Answers

Target = tuple[int, int]
"""Address and port."""


class Liveness(NamedTuple):
    """What came of asking a target: whether the first SYN was answered and, where it was not, whether the second was."""

    target: Target
    asked_at: float
    """When the first SYN left, in seconds of the monotonic clock."""
    first: bool
    second: bool | None


@dataclass(slots=True)
class _Question:
    """A target that is asked: when the last SYN left, how many have, and whether one was answered."""

    target: Target
    asked_at: float = 0.0
    sent_at: float = 0.0
    sent: int = 0
    answered: bool = False


@dataclass(slots=True)
class LivenessCheck:
    """Drive it with `due` and `hear`, then take what is known from `told`. `patience` is how long a SYN may go unanswered, in s."""

    secret: Secret
    patience: float
    repeats: bool = True
    """A SYN that nobody answered is sent again, once."""
    sent: int = 0
    _waiting: deque[_Question] = field(default_factory=deque)
    _open: dict[Target, _Question] = field(default_factory=dict)

    def ask(self, target: Target) -> bool:
        """Ask a target as soon as there is budget; False if it is being asked already."""
        if target in self._open:
            return False
        self._open[target] = question = _Question(target)
        self._waiting.append(question)
        return True

    def due(self, now: float, grant: Callable[[int], int]) -> Iterator[tuple[U32, NDArray[np.uint16]]]:
        """Addresses and ports to be asked now, as far as `grant` allows of so many."""
        if not self._waiting:
            return
        drawn = [self._waiting.popleft() for _ in range(grant(len(self._waiting)))]
        granted = [question for question in drawn if not question.answered]
        for question in granted:
            question.asked_at = question.asked_at or now
            question.sent_at = now
            question.sent += 1
        self.sent += len(granted)
        if granted:
            yield _arrays([question.target for question in granted])

    def whose(self, answers: Answers, others: I64) -> I64:
        """Of the packets at these places, the SYN-ACKs that answer these SYNs."""
        cookie = bake(self.secret, answers.address[others], answers.port[others])
        right = (cookie.source_port == answers.our_port[others]) & (cookie.sequence == answers.our_sequence[others])
        accepted = (answers.flags[others] & (SYN | ACK | RST)) == SYN | ACK
        return np.asarray(others[right & accepted], dtype=np.int64)

    def hear(self, answers: Answers) -> Answers:
        """Note who answered; the answers, to be reset."""
        for target in zip(answers.address.tolist(), answers.port.tolist(), strict=True):
            if target in self._open:
                self._open[target].answered = True
        return answers

    def told(self, now: float) -> list[Liveness]:
        """What is known of those that were asked long enough ago, each once."""
        over = [q for q in self._open.values() if q.sent and (q.answered or now - q.sent_at >= self.patience)]
        found = []
        for question in over:
            first = question.answered and question.sent == 1
            if question.answered or question.sent == 2 or not self.repeats:
                del self._open[question.target]
                found.append(
                    Liveness(
                        question.target, question.asked_at, first, question.answered if question.sent == 2 else None
                    )
                )
            else:
                question.sent_at = float("inf")
                self._waiting.append(question)
        return found

    @property
    def waits(self) -> bool:
        """There are SYNs to be sent."""
        return bool(self._waiting)


def _arrays(targets: Sequence[Target]) -> tuple[U32, NDArray[np.uint16]]:
    addresses, ports = zip(*targets, strict=True)
    return np.array(addresses, dtype=np.uint32), np.array(ports, dtype=np.uint16)
