"""The opt-out page: it has all required information, and is safe whatever the configuration."""

from dataclasses import replace

from pipeline.attribution.opt_out_page import PROFILES, OptOutPage, html
from pipeline.config.sections import Profile

PAGE = OptOutPage(
    "noc@lab.example", "https://lab.example/", "the board", "DICOM-CENSUS", ["192.0.2.7"], [104, 11112], "echo"
)


def test_it_says_who_what_and_how_to_opt_out() -> None:
    """Contact, authority, source, AE title, ports and what is sent are on the page."""
    page = html(PAGE)
    for text in ("mailto:noc@lab.example", "the board", "192.0.2.7", "DICOM-CENSUS", "104, 11112", PROFILES["echo"]):
        assert text in page
    assert "http" not in page.replace("https://", "")


def test_strings_are_escaped() -> None:
    """Markup in the configuration is text on the page."""
    page = html(replace(PAGE, authorised_by="<script>alert(1)</script>", contact='"><b>@x'))
    assert "<script>" not in page and "&lt;script&gt;" in page and '"><b>' not in page


def test_every_profile_is_described() -> None:
    """There is a text for each profile of the configuration, and for no other."""
    assert set(PROFILES) == set(Profile)


def test_harm_checks_are_described() -> None:
    """The later SYNs of harm checks are on the page exactly if the sweep has them."""
    assert "still answers" not in html(PAGE)
    assert "still answers" in html(replace(PAGE, harm_checks=True))
