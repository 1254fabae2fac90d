"""Answers to second SYNs of targets that did not answer the first: they are visited by the associators."""

from collections.abc import Iterator

import numpy as np

from pipeline.probe.clock import now
from pipeline.probe.engine_events import Responses
from pipeline.probe.fin_wait import SETTLED, UNSEEN
from pipeline.probe.range_state import OpenRange
from pipeline.space.permit import Permit
from pipeline.space.ranges import I64
from pipeline.wire.packet import Answers


def visits(
    opened: OpenRange, answers: Answers, position: I64, permit: Permit | None, delay: float
) -> Iterator[Responses]:
    """Settle targets of a range, at these positions, that answer for the first time, by their second SYN; yield those to be visited.

    The second SYN left `delay` seconds after the first. Without a permit, or while it pauses us, the range stays incomplete.
    """
    unseen = np.flatnonzero(opened.state[position] == UNSEEN)
    new = unseen[np.unique(position[unseen], return_index=True)[1]]
    if not len(new) or permit is None or permit.pause_reason:
        opened.ungreeted += len(new)
        return
    answers, position = answers.take(new), position[new]
    opened.state[position] = SETTLED
    opened.second_visits.append(position)
    visited = ~permit.withheld.contains(answers.address)
    opened.counts.suppressed_visits += int((~visited).sum())
    if visited.any():
        at, late = now(), np.uint32(delay * 1e6)
        rtt_us = np.maximum(opened.rtt_us(position[visited], at), late) - late
        yield Responses(opened.range, answers.take(visited), at.epoch_us, rtt_us)
