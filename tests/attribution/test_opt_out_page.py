"""The opt-out page: it has all required information, and is safe whatever the configuration."""

from dataclasses import replace

from pipeline.attribution.opt_out_page import PROFILES, OptOutPage, html
from pipeline.config.sections import Profile

PAGE = OptOutPage(
    "noc@lab.example", "https://lab.example/", "the board", "DICOM-CENSUS", ["192.0.2.7"], [104, 11112], "echo"
)


def test_it_says_who_what_and_how_to_opt_out() -> None:
    """The page has contact, authority, source, AE title, ports and a description of the payload."""
    page = html(PAGE)
    for text in ("mailto:noc@lab.example", "the board", "192.0.2.7", "DICOM-CENSUS", "104, 11112", PROFILES["echo"]):
        assert text in page
    assert "http" not in page.replace("https://", "")


def test_strings_are_escaped() -> None:
    """Markup in the configuration is text on the page."""
    page = html(replace(PAGE, authorised_by="<script>alert(1)</script>", contact='"><b>@x'))
    assert "<script>" not in page and "&lt;script&gt;" in page and '"><b>' not in page


def test_every_profile_is_described() -> None:
    """Each profile of the configuration has a text, and there are no other texts."""
    assert set(PROFILES) == set(Profile)


def test_harm_checks_are_described() -> None:
    """The page describes the later SYNs of harm checks exactly if the sweep has harm checks."""
    assert "still answers" not in html(PAGE)
    assert "still answers" in html(replace(PAGE, harm_checks=True))


def test_companion_ports_are_described() -> None:
    """The page names the companion ports, and that only a SYN goes there, exactly if the sweep has any."""
    assert "without data" not in html(PAGE)
    page = " ".join(html(replace(PAGE, companions=[80, 2575], companions_when="10 min 0 s later")).split())
    assert (
        "one SYN without data to each of the ports 80, 2575, which shows whether they are open: 10 min 0 s later."
        in page
    )
    assert "No byte of HTTP, HL7 or any other protocol follows" in page
