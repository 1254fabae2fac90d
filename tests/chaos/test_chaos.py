"""Whatever process dies, the sweep ends as if nothing had happened."""

from pathlib import Path

import pytest

from tests.chaos.inside import VICTIMS
from tests.chaos.run import faults, judge

#: A busy machine is slow.
pytestmark = pytest.mark.timeout(1800)


def test_six_kills_a_full_disk_and_no_memory(tmp_path: Path) -> None:
    """`--resume` finishes a sweep although every kind of process was killed once, the disk was full, and the writer out of memory.

    The sweep verifies, its rows are those of the world, and the hosts count no repeated visits beyond those of the receipts. Meanwhile
    the status never has more targets than there are, and of a range whose sender was killed no number of probes is made up.
    """
    judged = judge(tmp_path, seed=20260211, kills=len(VICTIMS), senders=2)
    assert faults(judged) == []
    assert set(judged.killed) == {*VICTIMS, "disk", "memory"} and judged.killed.total() == len(VICTIMS) + 2
    assert judged.rows > 1000
    assert judged.owned_up is not None and judged.attempts > 16 and judged.unknown > 0
    assert "No space left on device" in judged.complaints[0]
