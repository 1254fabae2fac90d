"""A sweep into a bucket ends as if its network were a good one."""

from pathlib import Path

import pytest

from tests.chaos.run import faults, judge

#: A machine that does much else takes its time.
pytestmark = pytest.mark.timeout(1800)


def test_a_bucket_behind_a_bad_network(tmp_path: Path) -> None:
    """With a lake in a bucket, requests and replies that are lost, and a worker that is killed, the rows are those of the world."""
    judged = judge(tmp_path, seed=20260212, kills=1, bucket=True, prefix=18, shards=4)
    assert faults(judged) == []
    assert judged.killed.total() == 1
    assert judged.met.total() > 10
    assert judged.rows > 250
