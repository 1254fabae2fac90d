"""Registered roots of UIDs that no rule knows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich import arc, ruleset
from pipeline.enrich.arc import Arc
from pipeline.errors import InputError

ARCS = ruleset.load().arcs


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        ("1.2.826.0.1.3680043.10.854.7", "1.2.826.0.1.3680043.10.854"),
        ("1.2.826.0.1.3680043.7.5.1", "1.2.826.0.1.3680043.7"),
        ("1.2.826.0.1.999.1.2", "1.2.826.0.1.999"),
        ("1.2.840.113619.6.55", "1.2.840.113619"),
        ("1.2.276.0.7230010.3", "1.2.276.0.7230010"),
        ("1.3.6.1.4.1.5962.99.2", "1.3.6.1.4.1.5962"),
        ("1.3.12.2.1107.5.2", "1.3.12.2.1107"),
        ("1.3.46.670589.11", "1.3.46.670589"),
        ("2.16.840.1.113669.2", "2.16.840.1.113669"),
        ("2.25.319987060362599024807367105075404354293", "2.25"),
        ("1.2.3", "1.2.3"),
        ("not a uid", None),
        ("1.2.\u0663", None),
        (None, None),
    ],
)
def test_roots(uid: str | None, expected: str | None) -> None:
    """A UID's root ends with the component of its owner; a UUID has no owner; a text that is not a UID has no root."""
    assert arc.root(uid, ARCS) == expected


@given(st.lists(st.integers(0, 10**5), min_size=1, max_size=8))
def test_a_root_is_the_beginning(components: list[int]) -> None:
    """A root is the UID's beginning, cut between components, and the same for all UIDs below it."""
    uid = ".".join(map(str, [1, *components]))
    root = arc.root(uid, ARCS)
    assert root is None or f"{uid}.".startswith(f"{root}.")
    assert root is None or arc.root(f"{uid}.1", ARCS) in (root, f"{uid}.1", uid)


def test_the_hash_tells_uids_apart() -> None:
    """The hash is eight digits of the SHA-256 of the whole UID; no UID, no hash."""
    assert arc.digest("1.2.3") == "c47f5b18"
    assert arc.digest("1.2.3") != arc.digest("1.2.4") and arc.digest(None) is None


@pytest.mark.parametrize(
    ("arcs", "reason"),
    [
        ((Arc("", 4), Arc("1.02", 1)), "is not a UID"),
        ((Arc("", 4), Arc("1.2", -1)), "0 or more"),
        ((Arc("", 4), Arc("1.2", 1), Arc("1.2", 2)), "twice"),
        ((Arc("1.2", 1),), 'prefix ""'),
    ],
)
def test_broken_arcs_are_refused(arcs: tuple[Arc, ...], reason: str) -> None:
    """A table of arcs that is invalid or has no default is refused."""
    with pytest.raises(InputError, match=reason):
        arc.levels(Path("here.toml"), arcs)
