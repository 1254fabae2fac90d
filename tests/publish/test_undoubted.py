"""Counts without likely decoys."""

from pipeline.publish.undoubted import both, leading, undoubted


def test_the_number_without_decoys_comes_first() -> None:
    """Both numbers are given where there are decoys; a number whose decoys are withheld says that they are in it."""
    row = {"services": 1048, "decoys": 11}
    assert (undoubted(row), leading(row), both(row)) == (1037, 1037, "1,037 (1,048 with likely decoys)")
    assert both({"services": 7, "decoys": 0}) == "7"
    withheld = {"services": 50, "decoys": None}
    assert (undoubted(withheld), leading(withheld), both(withheld)) == (None, 50, "50 with likely decoys")
