"""Confirm silence from another source address: whether hosts that no longer answer one sender answer another.

A host that does blocks the first address; one that does not has stopped, or blocks both. The sender that makes a harm check passes
each silent target to a sender of another source address, which checks it by the same two SYNs and says what came back.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.probe.liveness import LivenessCheck, Target
from pipeline.transport import messages

Send = Callable[[int, messages.AnyMessage], None]
"""Send a message to the sender of a number."""


def confirmer(sources: Sequence[str], senders: int, number: int) -> int | None:
    """The next sender whose source address is not that of sender `number`; None if the plan has one address alone.

    Senders take the addresses in turn.
    """
    others = ((number + step) % senders for step in range(1, senders))
    return next((other for other in others if sources and (other - number) % len(sources)), None)


@dataclass(slots=True)
class Confirmations:
    """The checks that a sender makes for others. Drive it with `tick`."""

    check: LivenessCheck
    send: Send
    _requests: dict[Target, messages.Confirm] = field(default_factory=dict)

    def begin(self, request: messages.Confirm) -> None:
        """Check a target for another sender; it has one check at a time, since it is in one range."""
        target = request.ip, request.port
        if self.check.add(target):
            self._requests[target] = request

    def tick(self) -> None:
        """Answer the requests whose checks are over."""
        for result in self.check.results(time.monotonic()):
            request = self._requests.pop(result.target)
            answered = None if result.withheld else result.first or bool(result.second)
            self.send(
                request.sender,
                messages.Confirmed(
                    shard=request.shard, number=request.number, ip=request.ip, port=request.port, answered=answered,
                    syns=result.syns,
                ),
            )  # fmt: skip
