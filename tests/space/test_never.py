"""Private addresses are in a plan that is all signed for, and in no other."""

from pathlib import Path

import msgspec
import pytest

from pipeline.errors import GuardError
from pipeline.space import never, plan, signed
from pipeline.space.listing import parse
from pipeline.space.ranges import Ranges
from pipeline.sweep import freeze
from tests.owner import hospital

SIGNED = "193.62.0.0/25\n10.20.0.0/30\n192.168.7.0/24\n127.0.0.0/30\n"


def ranges(*texts: str) -> Ranges:
    return Ranges.of([parse(text, "here") for text in texts])


def test_what_is_all_signed_may_be_private(tmp_path: Path) -> None:
    """Signed private addresses are targets, and the plan may be run; loopback stays out, whoever signs for it."""
    frozen = freeze.freeze(hospital(tmp_path, "echo", SIGNED))
    assert Ranges.of(frozen.ranges).pairs() == ranges("193.62.0.0/25", "10.20.0.0/30", "192.168.7.0/24").pairs()
    assert not plan.barred(frozen).count
    assert any(part.name.endswith("but for private use") for part in frozen.excluded)


def test_with_one_target_beyond_they_are_out(tmp_path: Path) -> None:
    """A plan that goes beyond the signed list holds no private address, signed or not."""
    config = hospital(tmp_path, "echo", SIGNED)
    targets = '[targets]\ninclude = ["193.62.0.0/24", "10.20.0.0/30"]\n\n[identity]'
    config.write_text(config.read_text().replace("[identity]", targets))
    assert Ranges.of(freeze.freeze(config).ranges).pairs() == ranges("193.62.0.0/24").pairs()


def test_without_a_signature_they_are_barred(tmp_path: Path) -> None:
    """A plan from which the list is taken, or whose list was changed, may not be run over them."""
    frozen = freeze.freeze(hospital(tmp_path, "echo", SIGNED))
    taken = msgspec.structs.replace(frozen, own=None)
    assert plan.barred(taken).pairs() == ranges("10.20.0.0/30", "192.168.7.0/24").pairs()
    assert frozen.own is not None
    changed = msgspec.structs.replace(frozen.own, ranges=frozen.own.ranges + "10.0.0.0/8\n")
    with pytest.raises(GuardError, match="not the owner's signature"):
        never.ranges(changed, ranges("10.0.0.0/8"))
    signed.verified(frozen.own)
