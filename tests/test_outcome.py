"""The closed vocabulary of outcomes."""

import re
from pathlib import Path

import pytest

from pipeline.outcome import (
    ACCEPTS_ASSOCIATION,
    SPEAKS_DICOM,
    ClientCertificate,
    CloseKind,
    CloseStage,
    Explained,
    Grade,
    Handshake,
    Naming,
    Notice,
    Outcome,
    Surprise,
)

KINDS = (Outcome, CloseKind, CloseStage, Grade, Surprise)
#: Results of handshakes, explained in docs/tls.md.
OF_TLS = (Handshake, ClientCertificate)
#: Endings of name lookups, explained in docs/owners.md.
OF_NAMES = (Naming,)
#: What became of services in hand-overs, explained in docs/notify.md.
OF_NOTICES = (Notice,)


@pytest.mark.parametrize("kind", [*KINDS, *OF_TLS, *OF_NAMES, *OF_NOTICES])
def test_members_are_explained(kind: type[Explained]) -> None:
    """Every value is a plain word with a sentence of explanation that no other value has."""
    for member in kind:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", member.value)
        assert member.name == member.value.upper()
        assert member.explanation[0].isupper() and member.explanation.endswith(".")
    assert len({member.explanation for member in kind}) == len(kind)


@pytest.mark.parametrize("kind", [*KINDS, *OF_TLS, *OF_NAMES, *OF_NOTICES])
def test_members_are_their_text(kind: type[Explained]) -> None:
    """A member equals its text, is found by its text and is written as its text."""
    for member in kind:
        assert member == member.value == str(member) == f"{member}"
        assert kind(member.value) is member
    with pytest.raises(ValueError, match="is not a valid"):
        kind("unheard_of")


def test_sets() -> None:
    """Hosts that accept an association speak DICOM; the only other hosts that speak DICOM reject or abort an association."""
    assert ACCEPTS_ASSOCIATION < SPEAKS_DICOM
    assert {Outcome.REJECTED, Outcome.ABORTED} == SPEAKS_DICOM - ACCEPTS_ASSOCIATION


def test_the_page_of_outcomes_is_complete() -> None:
    """`docs/outcomes.md` lists every outcome and qualifier with its explanation."""
    page = (Path(__file__).parents[1] / "docs" / "outcomes.md").read_text("utf-8")
    for kind in KINDS:
        assert all(f"| `{member.value}` | {member.explanation} |" in page for member in kind)


def test_the_page_of_hand_overs_is_complete() -> None:
    """`docs/notify.md` lists every kind of notice with its explanation."""
    page = (Path(__file__).parents[1] / "docs" / "notify.md").read_text("utf-8")
    assert all(f"| `{member.value}` | {member.explanation} |" in page for member in Notice)


def test_the_page_of_owners_is_complete() -> None:
    """`docs/owners.md` lists every ending of a name lookup with its explanation."""
    page = (Path(__file__).parents[1] / "docs" / "owners.md").read_text("utf-8")
    assert all(f"| `{member.value}` | {member.explanation} |" in page for member in Naming)
