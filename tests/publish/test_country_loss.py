"""What the rows of mart `country_loss` say of a country."""

from typing import Any

import pytest

from pipeline.publish import country_loss
from pipeline.publish.estimates import ALL


def row(sweep: str, country: str | None, lost: float, kept: float, **more: Any) -> dict[str, Any]:
    """A row of the mart, with hosts lost as often as services."""
    own = {"of_all": False, "services_looked": None, "services_again": None, "design_effect": 1.0, "part_twice": 0.0}
    return (
        own
        | {"sweep": sweep, "country": country, "lost": lost, "kept": kept, "host_lost": lost, "host_kept": kept}
        | more
    )


WHOLE = {"of_all": True, "services_looked": 100, "services_again": 96}
ROWS = [
    row("a", None, 2.0, 98.0, **WHOLE),
    row("a", "DE", 10.0, 90.0),
    row("a", None, 1.0, 9.0),
    row("b", None, 2.0, 98.0, **WHOLE | {"services_again": 92}),
    row("b", "DE", 1.0, 99.0),
]


@pytest.mark.parametrize(("country", "value"), [(ALL, 0.98), ("DE", 0.9), (None, 0.9), ("FR", 0.98)])
def test_a_country_has_its_own_detection(country: str | None, value: float) -> None:
    """A country has the detection of its row, one without a row that of all countries; what is not placed is a country too."""
    seen = country_loss.look(ROWS, "a", country)
    assert seen and seen.both / seen.second == value and not seen.counted


def test_no_rows_no_look() -> None:
    """Of a sweep without looks at services nothing is known, and neither is of a comparison with it."""
    assert country_loss.look(ROWS, "c") is None
    assert country_loss.alike(ROWS, ("a", "c"), ["DE"]) is None


def test_one_ratio_for_both_sweeps() -> None:
    """In a comparison services of both sweeps are lost at one multiple of their hosts' rates: that of both sweeps' looks together."""
    found = country_loss.alike(ROWS, ("a", "b"), ["DE"])
    ratio = (1 + 4 + 8) / (1 + 2 + 2)
    assert found
    for seen, rates in zip(found, ([0.02, 0.1], [0.02, 0.01]), strict=True):
        assert (1 - seen.detection().value).tolist() == pytest.approx([ratio * rate for rate in rates])
