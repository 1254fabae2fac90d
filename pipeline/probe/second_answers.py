"""Answers to second SYNs of targets that did not answer the first: they are visited by the associators."""

from collections.abc import Iterator

import numpy as np

from pipeline.probe.clock import now
from pipeline.probe.engine_events import Responses
from pipeline.probe.fin_wait import SETTLED, UNSEEN
from pipeline.probe.located import LocatedPackets
from pipeline.space.permit import Permit


def visits(packets: LocatedPackets, permit: Permit | None, delay: float) -> Iterator[Responses]:
    """Settle targets of a range that answer for the first time, by their second SYN; yield those to be visited.

    The second SYN left `delay` seconds after the first. Without a permit, or while it pauses us, the range stays incomplete.
    """
    opened = packets.opened
    unseen = np.flatnonzero(opened.state[packets.position] == UNSEEN)
    new = unseen[np.unique(packets.position[unseen], return_index=True)[1]]
    if not len(new) or permit is None or permit.pause_reason:
        opened.ungreeted += len(new)
        return
    packets = packets.take(new)
    opened.state[packets.position] = SETTLED
    opened.second_visits.append(packets.position)
    visited = ~permit.withheld.contains(packets.answers.address)
    opened.counts.suppressed_visits += int((~visited).sum())
    if visited.any():
        late, packets = np.uint32(delay * 1e6), packets.take(visited)
        rtt_us = np.maximum(opened.rtt_us(packets.position, packets.taken), late) - late
        yield Responses(opened.range, packets.answers, now().epoch_us, rtt_us)
