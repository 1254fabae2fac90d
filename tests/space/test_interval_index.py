"""Finding the interval that contains a number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space.interval_index import IntervalIndex

numbers = st.integers(0, 2**32 - 1)
#: Bunched starts share a cell of the table, spread starts do not.
starts = st.lists(numbers | st.integers(70_000, 70_300), min_size=1, max_size=60, unique=True).map(sorted)


@given(starts, st.lists(numbers))
def test_as_a_search_finds_it(begins: list[int], others: list[int]) -> None:
    """The index and a search over all starts agree for every number; numbers before the first start are in interval 0."""
    edges = [edge + step for edge in begins for step in (-1, 0, 1)]
    values = np.array([number for number in [*others, *edges, 0, 2**32 - 1] if 0 <= number < 2**32])
    expected = np.maximum(np.searchsorted(np.array(begins), values, side="right") - 1, 0)
    assert IntervalIndex.over(np.array(begins)).find(values).tolist() == expected.tolist()


def test_all_of_a_cell() -> None:
    """A thousand intervals inside one cell of the table are distinguished."""
    begins = np.arange(65_536, 65_536 + 1000)
    assert IntervalIndex.over(begins).find(begins).tolist() == list(range(1000))
