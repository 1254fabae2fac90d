"""Reading items, and their table."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.item import ITEMS, Container, Item, ItemType, placement_warning, read_items
from pipeline.wire.warning import ParseWarning
from tests.wire.vectors import item

ANY_ITEMS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=8)


def test_the_table_is_whole() -> None:
    """Each item and sub-item has its name and clause, and is allowed in each of its containers."""
    assert list(ITEMS) == list(ItemType)
    assert all(row.name.endswith("tem") and row.clause.startswith("PS3.") for row in ITEMS.values())
    assert {container for row in ITEMS.values() for container in row.containers} == set(Container)


def test_places() -> None:
    """An item is allowed here, misplaced or unknown."""
    assert placement_warning(Item(0x59, b""), Container.ACCEPT_USER) is None
    assert placement_warning(Item(0x59, b""), Container.REQUEST_USER) is ParseWarning.ITEM_MISPLACED
    assert placement_warning(Item(0x99, b""), Container.ACCEPT) is ParseWarning.ITEM_UNKNOWN


@given(ANY_ITEMS)
def test_walk_inverts_encoding(items: list[tuple[int, bytes]]) -> None:
    """Encoded items are read back as the same items."""
    assert read_items(b"".join(item(*part) for part in items)) == (items, [])


@given(ANY_ITEMS.filter(bool), st.data())
def test_walk_of_a_cut(items: list[tuple[int, bytes]], draw: st.DataObject) -> None:
    """If items are cut at any byte, the whole items before the cut are kept; a cut within an item is a warning."""
    parts = [item(*part) for part in items]
    data = b"".join(parts)
    end = draw.draw(st.integers(0, len(data)))
    edges = [len(b"".join(parts[:count])) for count in range(len(parts) + 1)]
    whole = sum(edge <= end for edge in edges) - 1
    assert read_items(data[:end]) == (items[:whole], [] if end in edges else [ParseWarning.ITEM_CUT])


@given(st.binary(max_size=200))
def test_walk_of_any_bytes(data: bytes) -> None:
    """Any bytes are read as items, and no byte is in two items."""
    items, _ = read_items(data)
    assert sum(4 + len(part.value) for part in items) <= len(data)
