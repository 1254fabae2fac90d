"""Finding the piece of the line that a number lies in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.space.lookup import Lookup

numbers = st.integers(0, 2**32 - 1)
#: Bunched starts share a cell of the table, spread ones do not.
starts = st.lists(numbers | st.integers(70_000, 70_300), min_size=1, max_size=60, unique=True).map(sorted)


@given(starts, st.lists(numbers))
def test_as_a_search_finds_it(begins: list[int], others: list[int]) -> None:
    """Every number is in the piece that a search over all starts finds; what lies before the first is in piece 0."""
    edges = [edge + step for edge in begins for step in (-1, 0, 1)]
    asked = np.array([number for number in [*others, *edges, 0, 2**32 - 1] if 0 <= number < 2**32])
    expected = np.maximum(np.searchsorted(np.array(begins), asked, side="right") - 1, 0)
    assert Lookup.over(np.array(begins)).piece(asked).tolist() == expected.tolist()


def test_all_of_a_cell() -> None:
    """A thousand pieces inside one cell of the table are told apart."""
    begins = np.arange(65_536, 65_536 + 1000)
    assert Lookup.over(begins).piece(begins).tolist() == list(range(1000))
