"""Work on several processors."""

import pytest

from pipeline.errors import CensusError, InputError
from pipeline.site import parallel


def power(base: int, item: int) -> int:
    if item == 99:
        raise InputError("item", "is 99")
    return base**item


def test_each_item_is_worked_on_once() -> None:
    """Few items are worked on here, many in other processes, with the same results."""
    for size in (3, 40):
        assert sorted(parallel.each(power, (2,), range(size))) == [2**item for item in range(size)]


def test_an_error_ends_the_work() -> None:
    """An error of the program's own is raised as one line, here and there."""
    for items in (range(98, 100), range(80, 120)):
        with pytest.raises(CensusError, match="item: is 99"):
            list(parallel.each(power, (2,), items))
