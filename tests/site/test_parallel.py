"""Work on several processors."""

from collections.abc import Sequence

import pytest

from pipeline.errors import CensusError, InputError
from pipeline.site import parallel


def powers(base: int, items: Sequence[int]) -> list[int]:
    assert items
    if 99 in items:
        raise InputError("item", "is 99")
    return [base**item for item in items]


def test_each_item_is_worked_on_once() -> None:
    """Few items are worked on here, many in other processes, with the same results; none, nowhere."""
    for size in (0, 3, 40):
        with parallel.begun(powers, (2,), range(size)) as results:
            assert sorted(results) == [2**item for item in range(size)]


def test_an_error_ends_the_work() -> None:
    """An error of the program's own is raised as one line, here and there."""
    for items in (range(98, 100), range(80, 120)):
        with pytest.raises(CensusError, match="item: is 99"), parallel.begun(powers, (2,), items) as results:
            list(results)
