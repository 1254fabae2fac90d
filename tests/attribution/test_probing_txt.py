"""Probe descriptions, written and read in the format of RFC 9511 and RFC 9116."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.attribution.probing_txt import ProbingTxt, contact_uri, faults, origin, read, write

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GOOD = ProbingTxt("https://lab.example/census/", "noc@lab.example", NOW + timedelta(days=1), "Counts.")


def test_round_trip() -> None:
    """The file has the five fields with its own URL, and no faults."""
    fields = read(write(GOOD))
    assert fields == {
        "Canonical": ["https://lab.example/.well-known/probing.txt"],
        "Contact": ["mailto:noc@lab.example"],
        "Expires": ["2026-11-25T00:00:00Z"],
        "Preferred-Languages": ["en"],
        "Description": ["Counts. Details and opt-out: https://lab.example/census/"],
    }
    assert faults(fields, NOW) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["it has no field Contact", "it has no field Expires"]),
        ("contact: a\nEXPIRES: 2027-01-01T00:00:00Z", []),
        ("Contact: a\nExpires: soon", ["its field Expires is not a date and time (RFC 3339): 'soon'"]),
        (
            "Contact: a\nExpires: 2026-11-24T00:00:00Z",
            ["it has expired (2026-11-24T00:00:00Z); write it again with `census identity`"],
        ),
        (
            "Contact: a\nExpires: 2027-01-01",
            ["it has expired (2027-01-01); write it again with `census identity`"],
        ),
        (
            "# Contact: a\n-----BEGIN PGP SIGNED MESSAGE-----\nExpires: 2027-01-01T00:00:00Z",
            ["it has no field Contact"],
        ),
    ],
)
def test_faults(text: str, expected: list[str]) -> None:
    """Missing fields and an expired date are reported; field names are case-insensitive; comments are ignored."""
    assert faults(read(text), NOW) == expected


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader fail, and no value has a line break."""
    fields = read(text)
    assert all("\n" not in value for values in fields.values() for value in values)
    assert isinstance(faults(fields, NOW), list)


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("a@b.example", "mailto:a@b.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://b.example/contact", "https://b.example/contact"),
        ("tel:+32-2-123", "tel:+32-2-123"),
    ],
)
def test_a_contact_is_a_uri(contact: str, uri: str) -> None:
    """A mail address becomes a mailto URI; a URI is unchanged."""
    assert contact_uri(contact) == uri


def test_origin() -> None:
    """Well-known paths are at the root of the page's host."""
    assert origin("http://127.0.0.1:8080/a/b?c") == "http://127.0.0.1:8080"
