"""Counts with their nouns."""

from pipeline.words.plural import plural


def test_one_and_several() -> None:
    """One thing is in the singular and nothing else is; thousands are separated, and words that change otherwise are named."""
    assert [plural(count, "range") for count in (0, 1, 2, 1000)] == ["0 ranges", "1 range", "2 ranges", "1,000 ranges"]
    assert [plural(count, "block is", "blocks are") for count in (1, 2)] == ["1 block is", "2 blocks are"]
