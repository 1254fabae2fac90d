"""Addresses that are never probed; private addresses are targets only of a plan whose targets are all signed."""

from pathlib import Path

import msgspec
import pytest

from pipeline.errors import GuardError, InputError
from pipeline.plan import plan
from pipeline.space import blocklist, signed
from pipeline.space.address_list import parse
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze
from tests.owner import hospital

SIGNED = "193.62.0.0/25\n10.20.0.0/30\n192.168.7.0/24\n"


def ranges(*texts: str) -> Ranges:
    return Ranges.of([parse(text, "here") for text in texts])


def test_what_is_all_signed_may_be_private(tmp_path: Path) -> None:
    """Signed private addresses are targets, and the plan may be run."""
    frozen = freeze.freeze(hospital(tmp_path, "echo", SIGNED))
    assert Ranges.of(frozen.ranges).pairs() == ranges("193.62.0.0/25", "10.20.0.0/30", "192.168.7.0/24").pairs()
    assert not plan.blocklisted(frozen).count
    assert any(part.name.endswith("except private use") for part in frozen.excluded)


def test_with_one_target_beyond_they_are_out(tmp_path: Path) -> None:
    """A plan with a target outside of the signed list has no private address, signed or not."""
    config = hospital(tmp_path, "echo", SIGNED)
    targets = '[targets]\ninclude = ["193.62.0.0/24", "10.20.0.0/30"]\n\n[identity]'
    config.write_text(config.read_text().replace("[identity]", targets))
    assert Ranges.of(freeze.freeze(config).ranges).pairs() == ranges("193.62.0.0/24").pairs()


def test_without_a_signature_they_are_barred(tmp_path: Path) -> None:
    """A plan whose signed list was removed or changed may not be run over private addresses."""
    frozen = freeze.freeze(hospital(tmp_path, "echo", SIGNED))
    taken = msgspec.structs.replace(frozen, signed_ranges=None)
    assert plan.blocklisted(taken).pairs() == ranges("10.20.0.0/30", "192.168.7.0/24").pairs()
    assert frozen.signed_ranges is not None
    changed = msgspec.structs.replace(frozen.signed_ranges, ranges=frozen.signed_ranges.ranges + "10.0.0.0/8\n")
    with pytest.raises(GuardError, match="not the owner's signature"):
        blocklist.ranges(changed, ranges("10.0.0.0/8"))
    signed.verified(frozen.signed_ranges)


@pytest.mark.parametrize("text", ["", "source = 1", '[[block]]\ncidr = "10.0.0.0/99"', "block = 3"])
def test_broken_special_purpose_list(tmp_path: Path, text: str) -> None:
    """A broken list of special-purpose blocks stops the plan."""
    path = tmp_path / "special.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"special\.toml"):
        blocklist.special_purpose(path)


def test_our_own_lists_have_reasons() -> None:
    """Every block of both lists that ship with the program gives its reason."""
    entries = [*blocklist.special_purpose().entries, *blocklist.never_touch().entries]
    assert len(entries) > 20 and all(entry.reason for entry in entries)
