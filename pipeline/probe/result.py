"""How visits ended: those of many hosts that ended alike, or that of one host with its conversation.

Most hosts never send anything like DICOM. They are settled many at a time, by whole arrays, and have no conversation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.connections import CONNECTION
from pipeline.record.visit import Visit

NO_ROWS = np.zeros(0, dtype=CONNECTION)


@dataclass(frozen=True, slots=True)
class VisitEnd:
    """How visits ended that ended alike; `banner` is what the hosts sent, if that was nothing like DICOM."""

    outcome: Outcome
    kind: CloseKind
    stage: CloseStage = CloseStage.ASSOCIATE
    banner: bytes = b""


@dataclass(frozen=True, slots=True)
class Result:
    """The visits of `hosts` hosts of one open range."""

    end: VisitEnd
    rows: NDArray[np.void] = field(default_factory=lambda: NO_ROWS)
    """Their rows of the connection table, shape (n,); none if the kernel had the connection."""
    sent: int = 0
    """How many bytes of ours a peer has acknowledged when it has acknowledged everything, our FIN counted as one; 0 after a RST."""
    visit: Visit | None = None
    """The conversation, if one was held: then there is one host."""
    syn: Mapping[str, int | None] = field(default_factory=dict)
    """What that host's SYN-ACK shows, as columns of `associations`."""

    @classmethod
    def of_flow(cls, row: NDArray[np.void], visit: Visit, sent: int) -> "Result":
        """A conversation on a connection of our own, whose row has shape (1,)."""
        (host,) = row
        syn = {
            "answered_at": int(host["answered_at"]),
            "ttl": int(host["ttl"]),
            "window": int(host["window"]),
            "syn_ttl": int(host["ttl"]),
            "syn_window": int(host["window"]),
            "syn_rtt_us": int(host["rtt_us"]),
            "syn_options_hash": int(host["options"]),
        }
        return cls(_end(visit), row, sent, visit, syn)

    @classmethod
    def of_kernel(cls, visit: Visit) -> "Result":
        """A conversation on a connection of the kernel's, which keeps the SYN-ACK to itself."""
        connect_us = visit.connect_us or 0
        syn = {"answered_at": visit.started_at + connect_us, "syn_rtt_us": connect_us}
        return cls(_end(visit), visit=visit, syn=syn)

    @property
    def hosts(self) -> int:
        """How many hosts these are."""
        return 1 if self.visit else len(self.rows)


def _end(visit: Visit) -> VisitEnd:
    return VisitEnd(visit.outcome, visit.close_kind, visit.close_stage)
