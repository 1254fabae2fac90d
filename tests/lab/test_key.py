"""The lab's key is made once, belongs to its user alone, and other keys are trusted only by name."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import GuardError, InputError
from pipeline.lab import key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(key.KEYS, str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_it_is_made_at_its_first_use(folder: Path) -> None:
    """The key is made once, also by many at once, readable by its user alone, and nothing else is left."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key.load().public_key, range(16)))
    assert keys == {key.load().public_key}
    assert (folder / "lab.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["lab.key", "lab.pem"]
    assert (folder / "lab.pem").read_bytes() == key.published()


def test_a_machine_trusts_its_own_key(folder: Path) -> None:
    """What this machine signed is accepted; what was changed afterwards, or signed for something else, is not."""
    signature = key.load().sign("plan", b"content")
    key.require(signature, "plan", b"content", "the plan")
    for purpose, data in (("plan", b"other"), ("seal", b"content")):
        with pytest.raises(GuardError, match="changed after it was signed"):
            key.require(signature, purpose, data, "the plan")


def test_another_key_is_trusted_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine's signature is refused, with its fingerprint and what to do, until its public key is among the trusted."""
    signature, public = key.load().sign("plan", b"content"), key.published()
    other = folder.with_name("other")
    monkeypatch.setenv(key.KEYS, str(other))
    with pytest.raises(
        GuardError, match=r"which this machine does not trust; .*copy lab\.pem .*other/trusted/NAME\.pem"
    ):
        key.require(signature, "plan", b"content", "the plan")
    (other / "trusted").mkdir(parents=True)
    (other / "trusted" / "server.pem").write_bytes(public)
    key.require(signature, "plan", b"content", "the plan")
    assert key.trusted() == {signature.public_key: "server"}, "asking makes no key"
    (other / "trusted" / "server.pem").unlink()
    with pytest.raises(GuardError, match="does not trust"):
        key.require(signature, "plan", b"content", "the plan")


def test_wrong_files_are_named(folder: Path) -> None:
    """A key that others may read, one that is none, and a trusted file without a key are refused by name."""
    key.load()
    (folder / "lab.key").chmod(0o640)
    with pytest.raises(InputError, match="may be read by others; `chmod 600"):
        key.load()
    (folder / "lab.key").chmod(0o600)
    (folder / "trusted").mkdir()
    (folder / "trusted" / "x.pem").write_bytes((folder / "lab.key").read_bytes())
    with pytest.raises(InputError, match="is not an Ed25519 public key"):
        key.trusted()
    (folder / "lab.key").write_bytes(b"\xff\n")
    with pytest.raises(InputError, match="is not an Ed25519 key in PEM without a password"):
        key.load()


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    """Where no key can be made the error names the variable that gives another folder."""
    folder.write_text("a file")
    with pytest.raises(InputError, match="cannot be made: .*name a folder for it in CENSUS_KEYS"):
        key.load()


def test_without_the_variable_it_is_in_the_state_folder(tmp_path: Path) -> None:
    """Without CENSUS_KEYS the keys are in `dicom-census/keys` of the user's state folder."""
    code = "from pipeline.lab import key; print(key.folder())"
    environ = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path(key.__file__).parents[2])}
    printed = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == str(tmp_path / "dicom-census" / "keys")
