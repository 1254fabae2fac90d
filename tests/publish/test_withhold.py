"""Names that name a host."""

import pytest

from pipeline.publish.withhold import WITHHELD, withhold

NAMES = [
    "OFFIS_DCMTK_367",
    "dcm4che-5.29.2",
    "1.2.276.0.7230010.3.0.3.6.7",
    "1.2.40.0.13.1.3",
    "ORTHANC 1.12.1",
    "V3.0",
    "",
]
TELLING = [
    "pacs.hospital.example",
    "at 193.62.0.9 now",
    "PACS-193.62.0.9",
    "2001:db8:0:1::5",
    "fe80::1",
    "(10.0.0.1)",
    "PACS1.LOCAL",
]


@pytest.mark.parametrize("text", NAMES)
def test_products_are_published(text: str) -> None:
    """Version names and class UIDs of known products pass."""
    assert withhold(text) == text


@pytest.mark.parametrize("text", TELLING)
def test_hosts_are_withheld(text: str) -> None:
    """A text that holds an address or a host name is replaced whole."""
    assert withhold(text) == WITHHELD
