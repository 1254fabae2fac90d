"""Cells that are withheld for the sake of others, in tables of countries and parts."""

import pytest

from pipeline.publish.complement import bare, complemented

PARTS = ("a", "b")


def withheld(cells: dict[str, tuple[int, ...]], asked: set[str], least: int = 5) -> set[str]:
    counts = {country: dict(zip(PARTS, row, strict=True)) for country, row in cells.items()}
    return set(complemented(counts, dict.fromkeys(asked, frozenset(PARTS)), least))


@pytest.mark.parametrize(
    ("cells", "asked", "found"),
    [
        ({"A": (2, 50), "B": (9, 30), "C": (9, 90)}, {"A"}, {"A", "B"}),
        ({"A": (2, 50), "B": (1, 30), "C": (9, 90)}, {"A", "B"}, {"A", "B", "C"}),
        ({"A": (2, 50), "B": (4, 30), "C": (9, 90)}, {"A", "B"}, {"A", "B"}),
        ({"A": (2, 50), "B": (0, 30), "C": (0, 90)}, {"A"}, {"A", "B"}),
        ({"A": (0, 3), "B": (0, 30)}, {"A"}, {"A"}),
        ({"A": (2, 9)}, {"A"}, {"A"}),
        ({"A": (20, 9), "B": (7, 8)}, set(), set()),
    ],
    ids=["one alone", "too few together", "enough", "others have none", "none has any", "no other", "nothing small"],
)
def test_the_smallest_other_country_hides_a_cell(
    cells: dict[str, tuple[int, ...]], asked: set[str], found: set[str]
) -> None:
    """A withheld cell has company: the smallest country that can trade with it, and as many as make the least number together."""
    assert withheld(cells, asked) == found


def test_a_total_is_bare_where_nobody_can_hide_a_cell() -> None:
    """The total of a part gives a cell away if no other country has services, and does not if another one withholds as much."""
    alone = {"A": {"a": 2, "b": 9}}
    hidden = {"A": frozenset(PARTS)}
    assert bare(alone, hidden) == frozenset(PARTS)
    assert bare(alone | {"B": {"a": 1, "b": 1}}, hidden | {"B": frozenset(PARTS)}) == frozenset()
    assert bare({"A": {"a": 0, "b": 9}}, hidden) == frozenset()


def test_a_companion_withholds_the_same_parts() -> None:
    """Of three parts only those that are withheld of the small country are withheld of its companion."""
    counts = {"A": {"a": 2, "b": 9, "c": 40}, "B": {"a": 9, "b": 9, "c": 9}}
    assert complemented(counts, {"A": frozenset("ab")}, 5) == {"A": frozenset("ab"), "B": frozenset("ab")}
