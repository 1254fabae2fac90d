"""Signed ranges are the ranges that their owner signed."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from pipeline.config.sections import OwnSection
from pipeline.errors import GuardError, InputError
from pipeline.plan import own_ranges
from pipeline.space.ranges import Ranges
from pipeline.space.signed import SignedRanges, require, verified
from tests.owner import signed_list, terms
from tests.testbed.running import CENSUS, ROOT

LIST = "193.62.0.0/28  # the hospital's archive\n193.62.1.7\n"
FIRST = 0xC13E0000


def signed(folder: Path) -> SignedRanges:
    """A signed list, as the configuration names it."""
    owner_list = own_ranges.read(OwnSection(owner="St Example", **signed_list(folder, LIST)), folder)
    assert owner_list is not None
    return owner_list


def test_what_openssl_signed_is_valid(tmp_path: Path) -> None:
    """A list that OpenSSL signed gives its ranges; targets in these ranges are allowed."""
    owner_list = signed(tmp_path)
    assert verified(owner_list).pairs() == [(FIRST, FIRST + 15), (FIRST + 0x107, FIRST + 0x107)]
    require(owner_list, Ranges.of([(FIRST, FIRST + 3)]), "it")


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": terms() + LIST + "8.8.8.8\n"},
        {"signature": "00" * 64},
        {"signature": "zz"},
        {"signature": ""},
        {"public_key": ""},
        {"public_key": "-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE\n-----END PUBLIC KEY-----\n"},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str], tmp_path: Path) -> None:
    """Another list, signature or key is refused."""
    with pytest.raises(GuardError):
        verified(msgspec.structs.replace(signed(tmp_path), **change))


def test_targets_beyond_are_refused(tmp_path: Path) -> None:
    """A target outside of the list, or a missing list, is refused, and the reason names it."""
    with pytest.raises(GuardError, match=r"2 addresses are not in the signed list \(193.62.0.16/31\)"):
        require(signed(tmp_path), Ranges.of([(FIRST, FIRST + 17)]), "it")
    with pytest.raises(GuardError, match="section \\[own\\]"):
        require(None, Ranges.of([(FIRST, FIRST)]), "it")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The errors name a missing file, a missing key, and a list that is not text."""
    names = signed_list(tmp_path, LIST)
    with pytest.raises(InputError, match="own.signature"):
        own_ranges.read(OwnSection(**(names | {"signature": ""})), tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        own_ranges.read(OwnSection(**(names | {"ranges": "nowhere"})), tmp_path)
    (tmp_path / "ranges.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not text"):
        own_ranges.read(OwnSection(**names), tmp_path)


def test_the_program_signs_as_openssl_does(tmp_path: Path) -> None:
    """`census own key` and `sign` make files that `[own]` accepts and OpenSSL verifies; only the owner can read the key."""
    (tmp_path / "ranges.txt").write_text(terms() + LIST)
    own_ranges.make_key(tmp_path / "owner.key", tmp_path / "owner.pem")
    assert own_ranges.sign(tmp_path / "ranges.txt", tmp_path / "owner.key", tmp_path / "ranges.txt.sig").count == 17
    names = {"owner": "St Example", "ranges": "ranges.txt", "signature": "ranges.txt.sig", "public_key": "owner.pem"}
    assert own_ranges.read(OwnSection(**names), tmp_path)
    assert (tmp_path / "owner.key").stat().st_mode & 0o777 == 0o600
    verify = "pkeyutl -verify -pubin -inkey owner.pem -rawin -in ranges.txt -sigfile ranges.txt.sig"
    subprocess.run(["openssl", *verify.split()], cwd=tmp_path, check=True, capture_output=True, timeout=30)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """An existing key is not overwritten; a list without an address, or signed with a file that is not a key, is refused."""
    own_ranges.make_key(tmp_path / "owner.key", tmp_path / "owner.pem")
    kept = (tmp_path / "owner.key").read_bytes()
    for private, public in (("owner.key", "other.pem"), ("other.key", "owner.pem")):
        with pytest.raises(InputError, match="exists already"):
            own_ranges.make_key(tmp_path / private, tmp_path / public)
    assert (tmp_path / "owner.key").read_bytes() == kept
    (tmp_path / "ranges.txt").write_text("# nothing yet\n")
    with pytest.raises(InputError, match="names no address"):
        own_ranges.sign(tmp_path / "ranges.txt", tmp_path / "owner.key", tmp_path / "s")
    with pytest.raises(InputError, match="not an Ed25519 key"):
        own_ranges.sign(tmp_path / "ranges.txt", tmp_path / "owner.pem", tmp_path / "s")


def test_capabilities_elsewhere_exit_3(tmp_path: Path) -> None:
    """`census plan` with the profile `capabilities` and no signed list ends with exit code 3 and says what to do."""
    text = (
        (ROOT / "tests" / "data" / "tls-sweep.toml").read_text().replace('profile = "tls"', 'profile = "capabilities"')
    )
    (tmp_path / "sweep.toml").write_text(text)
    ended = subprocess.run(
        [*CENSUS, "plan", str(tmp_path / "sweep.toml")], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert (ended.returncode, "their owner signed" in ended.stderr) == (3, True)
