"""The SYNs of a sender, and how their answers are known.

After an outage of our own, connections are void that peers still have, half open or open. A peer takes a SYN from the same port for a
stray segment of such a connection and does not answer it (RFC 5961 §4), or answers it with what it has agreed before: the old MSS. So
all further probes have another source port, and what comes on the connections of before is reset.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.probe.extra_probes import ExtraProbes
from pipeline.probe.liveness import LivenessCheck
from pipeline.space.ranges import U32
from pipeline.space.shard import Walk
from pipeline.wire import packet
from pipeline.wire.cookie import Secret, source_ports
from pipeline.wire.packet import Answers

#: An answer acknowledges at most this many bytes of ours; one that acknowledges more is not an answer to us.
MOST_ACKED = 8192

Bools = NDArray[np.bool_]


@dataclass(slots=True)
class ProbeSet:
    """All SYNs of a sender: the plan's own, in the order of `walk` with the cookies of `secret`, extra probes, and liveness checks."""

    walk: Walk
    secret: Secret
    extra: ExtraProbes
    liveness: tuple[LivenessCheck, ...] = ()
    cooldown: float = 0.0
    """How long answers to the last of them are waited for, in seconds."""
    before: Secret | None = None
    """By which the connections of before the last turn are known."""

    def turn(self) -> None:
        """Send the plan's further probes from other source ports: what is under way is void."""
        self.before, ours = self.secret, self.secret.ports
        self.secret = replace(self.secret, ports=replace(ours, turn=(ours.turn + 1) % (1 << ours.bits)))

    def of_before(self, answers: Answers, tags: U32) -> Bools:
        """Which packets, shape (n,), came on connections of before that their peers still have; with their targets' tags."""
        if self.before is None:
            return np.zeros(len(answers.address), dtype=np.bool_)
        alive: Bools = (answers.flags & (packet.ACK | packet.RST)) == packet.ACK
        return alive & validated(self.before, answers, tags)[0]


def validated(secret: Secret, answers: Answers, tags: U32) -> tuple[Bools, U32]:
    """Which packets answer the plan's probes, and how many bytes of ours each then acknowledges; all of shape (n,)."""
    acked = answers.our_sequence - tags
    bare_reset = (answers.flags & (packet.RST | packet.ACK)) == packet.RST
    right = (acked <= MOST_ACKED) | bare_reset
    right &= source_ports(secret, tags) == answers.our_port
    return right, acked
