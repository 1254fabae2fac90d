"""How visits ended: each kind of result describes its hosts and their SYN-ACKs."""

import numpy as np

from pipeline.outcome import CloseKind, CloseStage, Outcome
from pipeline.probe.connections import CONNECTION
from pipeline.probe.result import Result, VisitEnd
from pipeline.record.visit import Visit

VISIT = Visit(
    ip=1, port=104, started_at=1_000_000, outcome=Outcome.ECHOED, close_kind=CloseKind.WE_CLOSED,
    close_stage=CloseStage.DONE, like_dicom=True, connect_us=250,
)  # fmt: skip
ENDING = VisitEnd(Outcome.ECHOED, CloseKind.WE_CLOSED, CloseStage.DONE)


def test_hosts_that_end_alike_are_one_result() -> None:
    """A result without a conversation has one host for each row."""
    result = Result(VisitEnd(Outcome.SILENT, CloseKind.DEADLINE), np.zeros(3, CONNECTION), 200)
    assert (result.hosts, result.visit, result.end.stage) == (3, None, CloseStage.ASSOCIATE)


def test_a_flow_is_one_host_with_its_syn_ack() -> None:
    """A conversation over our own TCP gives the end, and its row keeps all facts of the SYN-ACK."""
    row = np.zeros(1, CONNECTION)
    for name, value in {"answered_at": 7, "ttl": 60, "window": 500, "rtt_us": 90, "options": 11}.items():
        row[name] = value
    result = Result.of_flow(row, VISIT, 300)
    assert (result.hosts, result.end, result.sent, result.visit) == (1, ENDING, 300, VISIT)
    assert result.syn == {
        "answered_at": 7, "ttl": 60, "window": 500, "syn_ttl": 60, "syn_window": 500, "syn_rtt_us": 90, "syn_options_hash": 11,
    }  # fmt: skip


def test_the_kernel_shows_when_it_connected_and_no_more() -> None:
    """A connection of the kernel's TCP shows only the round trip, which gives the time of the SYN-ACK."""
    result = Result.of_kernel(VISIT)
    assert (result.hosts, result.end, len(result.rows), result.sent) == (1, ENDING, 0, 0)
    assert result.syn == {"answered_at": 1_000_250, "syn_rtt_us": 250}
