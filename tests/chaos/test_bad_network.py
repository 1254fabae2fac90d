"""A sweep into a bucket over a bad network ends as if the network were good."""

from pathlib import Path

import pytest

from tests.chaos.run import faults, judge

#: A busy machine is slow.
pytestmark = pytest.mark.timeout(1800)


def test_a_bucket_behind_a_bad_network(tmp_path: Path) -> None:
    """With a lake in a bucket, lost requests and replies, and a killed worker process, the rows are those of the world."""
    judged = judge(tmp_path, seed=20260212, kills=1, bucket=True, prefix=18, shards=4)
    assert faults(judged) == []
    assert judged.killed.total() == 1
    assert judged.met.total() > 10
    assert judged.rows > 250
