"""The walk over items, and the table of them."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.item import ITEMS, Holder, Item, ItemType, place, walk
from pipeline.wire.warning import ParseWarning
from tests.wire.vectors import item

ANY_ITEMS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=8)


def test_the_table_is_whole() -> None:
    """Each item and sub-item has its name and its clause, and stands in each of its holders."""
    assert list(ITEMS) == list(ItemType)
    assert all(row.name.endswith("tem") and row.clause.startswith("PS3.") for row in ITEMS.values())
    assert {holder for row in ITEMS.values() for holder in row.holders} == set(Holder)


def test_places() -> None:
    """An item is at home, misplaced or unknown."""
    assert place(Item(0x59, b""), Holder.ACCEPT_USER) is None
    assert place(Item(0x59, b""), Holder.REQUEST_USER) is ParseWarning.ITEM_MISPLACED
    assert place(Item(0x99, b""), Holder.ACCEPT) is ParseWarning.ITEM_UNKNOWN


@given(ANY_ITEMS)
def test_walk_inverts_encoding(items: list[tuple[int, bytes]]) -> None:
    """What was put together as items comes apart as the same items."""
    assert walk(b"".join(item(*part) for part in items)) == (items, [])


@given(ANY_ITEMS.filter(bool), st.data())
def test_walk_of_a_cut(items: list[tuple[int, bytes]], draw: st.DataObject) -> None:
    """Of items cut at any byte, the whole ones before the cut stand; a cut within one is said."""
    parts = [item(*part) for part in items]
    data = b"".join(parts)
    end = draw.draw(st.integers(0, len(data)))
    edges = [len(b"".join(parts[:count])) for count in range(len(parts) + 1)]
    whole = sum(edge <= end for edge in edges) - 1
    assert walk(data[:end]) == (items[:whole], [] if end in edges else [ParseWarning.ITEM_CUT])


@given(st.binary(max_size=200))
def test_walk_of_any_bytes(data: bytes) -> None:
    """Any bytes come apart, and no byte is given twice."""
    items, _ = walk(data)
    assert sum(4 + len(part.value) for part in items) <= len(data)
