"""The opt-out page: it tells what it must, and is safe whatever stands in the configuration."""

from dataclasses import replace

from pipeline.attribution.opt_out_page import PROFILES, Told, html
from pipeline.config import Profile

TOLD = Told("noc@lab.example", "https://lab.example/", "the board", "DICOM-CENSUS", ["192.0.2.7"], [104, 11112], "echo")


def test_it_tells_who_what_and_how_to_opt_out() -> None:
    """Contact, authority, source, AE title, ports and what is sent stand on the page."""
    page = html(TOLD)
    for said in ("mailto:noc@lab.example", "the board", "192.0.2.7", "DICOM-CENSUS", "104, 11112", PROFILES["echo"]):
        assert said in page
    assert "http" not in page.replace("https://", "")


def test_strings_are_escaped() -> None:
    """Markup in the configuration is text on the page."""
    page = html(replace(TOLD, authorised_by="<script>alert(1)</script>", contact='"><b>@x'))
    assert "<script>" not in page and "&lt;script&gt;" in page and '"><b>' not in page


def test_every_profile_is_told() -> None:
    """There are words for each profile that a configuration may name, and for no other."""
    assert set(PROFILES) == set(Profile)
