"""The neighbourhood of an answer."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import neighbourhood
from pipeline.space.ranges import Ranges

ADDRESSES = st.integers(0, 3 * 256)
ROWS = st.lists(st.tuples(ADDRESSES, st.sampled_from([104, 11112]), st.sampled_from([b"a", b"b"])), min_size=1)
SPACES = st.lists(st.tuples(ADDRESSES, st.integers(0, 300)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(ROWS, st.sets(ADDRESSES), SPACES)
def test_counts_are_those_of_a_plain_search(
    rows: list[tuple[int, int, bytes]], answered: set[int], space: list[tuple[int, int]]
) -> None:
    """Equal replies, answering addresses and probed addresses are counted as by plain loops."""
    ip, port, raw = zip(*rows, strict=True)
    table = pa.table({"ip": pa.array(ip, pa.uint32()), "port": pa.array(port, pa.uint16()), "raw": pa.array(raw)})
    queried, controls = Ranges.of(space), np.array(sorted(answered)[::2], np.uint32)
    result = neighbourhood.neighbourhood_features(table, np.array(sorted(answered), np.uint32), queried, 0.5, controls)
    inside = {address for first, last in queried.pairs() for address in range(first, last + 1)}
    for n, (address, _, reply) in enumerate(rows):
        prefix = address // 256
        same = [row for row in rows if row[2] == reply]
        answering = len({a for a in answered if a // 256 == prefix})
        expected = 0.5 * len({a for a in inside if a // 256 == prefix})
        assert result["same_reply_ports"][n].as_py() == len({p for a, p, _ in same if a == address})
        assert result["prefix_same_reply"][n].as_py() == len({a for a, _, _ in same if a // 256 == prefix})
        assert result["prefix_answering"][n].as_py() == answering
        assert result["prefix_controls"][n].as_py() == len({a for a in controls.tolist() if a // 256 == prefix})
        assert result["prefix_answering_share"][n].as_py() == min(1.0, answering / max(expected, 1.0))


def test_the_last_prefix_is_whole() -> None:
    """The last /24 of the address space is counted to its end."""
    table = pa.table({"ip": pa.array([2**32 - 1], pa.uint32()), "port": pa.array([104], pa.uint16()), "raw": [b"x"]})
    top = np.arange(2**32 - 256, 2**32, dtype=np.uint32)
    result = neighbourhood.neighbourhood_features(table, top, Ranges.of([(2**32 - 256, 2**32 - 1)]), 1.0)
    assert result["prefix_answering"].to_pylist() == [256] and result["prefix_answering_share"].to_pylist() == [1.0]
