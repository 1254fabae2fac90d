"""The arithmetic of a whole sweep."""

from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import SweepSize

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_page_is_what_it_prints() -> None:
    """`docs/scale.md` holds the table as it is printed."""
    assert "\n".join(scale.lines()) in PAGE.read_text("utf-8")


def test_measured_figures_stand_on_the_page_of_benchmarks() -> None:
    """Each figure used was printed by a benchmark."""
    page = (PAGE.parent / "benchmarks.md").read_text("utf-8")
    for figure in ("920,452", "5,195,752", "16.4", "86 bytes a host", "9.313", "89.347"):
        assert figure in page


@pytest.mark.parametrize("ports", [1, 6])
def test_vantages_share_the_time(ports: int) -> None:
    """Five vantages take a fifth of one vantage's time, ten times the rate a tenth; an hour's probes follow from the rate."""
    one = SweepSize(3_600_000, ports, 1, 1000)
    assert one.hours == pytest.approx(ports * 1.01 + 0.01)
    assert SweepSize(3_600_000, ports, 5, 1000).hours == pytest.approx(one.hours / 5)
    assert SweepSize(3_600_000, ports, 1, 10_000).hours == pytest.approx(one.hours / 10)
    assert one.ranges >= one.targets / 10_000
