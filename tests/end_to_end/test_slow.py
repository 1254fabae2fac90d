"""A slow sweep: its sender sleeps most of the time, and answers hosts as soon as any other."""

from ipaddress import IPv4Address
from pathlib import Path

from pipeline.probe.engine import PERMIT_SECONDS
from pipeline.probe.pacer import SLOW_RATE
from tests.end_to_end.vantages import internet, place, sweep

#: The first address behind those that are visited.
LAST = int(IPv4Address("11.0.16.0"))


def test_hosts_do_not_wait_for_the_next_permit(tmp_path: Path) -> None:
    """At a slow rate every row is the truth, and packets are read long before a permit ends: half of the answers in less time."""
    with place(tmp_path) as at, internet(at) as true:
        swept = sweep(at, targets="11.0.0.0/20", rate=SLOW_RATE * 3 // 4)
    assert swept.code == 0, swept.said[-3000:]
    assert swept.outcomes() == {target: outcome for target, outcome in true.items() if target[0] < LAST}
    ((hosts, median),) = swept.rows(
        "SELECT count(*), median(answer_us - request_us) FROM associations WHERE answer_us IS NOT NULL"
    )
    assert hosts > 50
    assert median < 0.8 * PERMIT_SECONDS * 1e6  # 45 ms on a busy machine; 110 if they waited
