"""Parts of a drawing."""

from xml.etree import ElementTree

from pipeline.publish import drawing
from pipeline.publish.drawing import WIDE


def test_texts_are_escaped_and_cut() -> None:
    """Markup in a text or label is text, and a text that is too wide ends in dots."""
    root = ElementTree.fromstring(drawing.svg(WIDE, drawing.text(0, 0, "a<b>&", 12), '"quoted" & <more>'))
    assert root.get("aria-label") == '"quoted" & <more>' and root.get("role") == "img"
    assert [one.text for one in root] == ["a<b>&"]
    assert drawing.cut("United Kingdom", 10, 50).endswith("…") and drawing.cut("Chad", 10, 50) == "Chad"
