"""Bars."""

from xml.etree import ElementTree

from pipeline.publish import bars
from pipeline.publish.bars import Bar
from pipeline.publish.drawing import NARROW, Size


def test_a_bar_is_as_long_as_its_number() -> None:
    """Lengths are in proportion, nothing leaves the plot, names are escaped, and a bar of 0 has no length."""
    size = Size(NARROW.width, bars.height([Bar("", 0)] * 3, NARROW.letters), NARROW.letters)
    plot = bars.draw([Bar("A & <B>", 1000), Bar("x" * 99, 500), Bar("none", 0)], size, "Services")
    root = ElementTree.fromstring(f"<svg>{plot}</svg>")
    long, half, none = (float(one.get("width", "-1")) for one in root.iter("rect"))
    assert abs(long - 2 * half) < 0.2 and none == 0
    texts = [one.text or "" for one in root.iter("text")]
    assert texts[1] == "A & <B>" and texts[3].endswith("…") and "1,000" in texts
    assert all(0 <= float(one.get("x", "-1")) <= size.width for one in root.iter("text"))


def test_a_bar_may_go_on() -> None:
    """A bar with a second, larger number goes on in a pale box up to it, and both numbers are at its end, on a phone too."""
    size = Size(NARROW.width, bars.height([Bar("", 0)], NARROW.letters), NARROW.letters)
    plot = bars.draw([Bar("x" * 99, 40, more=80, both="40 (80 with likely decoys)")], size, "Services")
    root = ElementTree.fromstring(f"<svg>{plot}</svg>")
    first, end = root.iter("rect")
    assert abs(float(first.get("width", "")) - float(end.get("width", ""))) < 0.2
    assert float(end.get("x", "")) + float(end.get("width", "")) < size.width
    assert first.findtext("title", "").endswith(": 40 (80 with likely decoys)")
    assert [one.text for one in root.iter("text")][-1] == "40 (80)"
