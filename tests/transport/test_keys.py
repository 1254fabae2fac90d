"""CURVE keys in files."""

import stat
from pathlib import Path

import pytest
import zmq

from pipeline.errors import InputError
from pipeline.lab.key import published
from pipeline.transport.keys import AssociatorKeys, WorkerKeys, create


def test_both_ends_know_each_other(tmp_path: Path) -> None:
    """With the created files, the worker admits the associator and no other key, and the associator knows the worker."""
    create(tmp_path, ["north", "south"])
    worker, north = WorkerKeys.read(tmp_path, "north"), AssociatorKeys.read(tmp_path, "north")
    assert worker.admits(north.key_pair.public)
    assert not worker.admits(AssociatorKeys.read(tmp_path, "south").key_pair.public)
    assert not worker.admits(b"")
    assert north.worker == worker.key_pair.public
    assert zmq.curve_public(north.key_pair.secret) == north.key_pair.public


def test_secrets_are_private(tmp_path: Path) -> None:
    """Only the owner can read secret keys."""
    files = create(tmp_path / "keys", ["north"])
    assert [path.relative_to(tmp_path / "keys").as_posix() for path in files] == [
        "lab.pem", "worker.key", "worker.key_secret", "associators/north.key", "north.key_secret"
    ]  # fmt: skip
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files if path.name.endswith("_secret")}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "keys" / "lab.pem").read_bytes() == published()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A name that has a key is refused; the worker's key is unchanged when associators are added."""
    create(tmp_path, ["north"])
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.key*")}
    with pytest.raises(InputError, match="exists already"):
        create(tmp_path, ["north"])
    create(tmp_path, ["south"])
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("name", ["", "worker", "a/b", "..", "North", "x" * 41, "a b", "-a"])
def test_names(tmp_path: Path, name: str) -> None:
    """A name that could be a path, or is the worker's own, is refused before anything is written."""
    with pytest.raises(InputError, match="name"):
        create(tmp_path, [name])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b'public-key = "short"', b"curve\n"])
def test_a_file_that_is_no_key(tmp_path: Path, content: bytes | None) -> None:
    """A missing or broken file is one clear error that names it."""
    create(tmp_path, ["north"])
    path = tmp_path / "associators" / "north.key"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"north\.key: (does not exist|is not a CURVE key)"):
        WorkerKeys.read(tmp_path, "north")


def test_a_public_key_in_place_of_a_secret(tmp_path: Path) -> None:
    """A file without the secret key is refused."""
    create(tmp_path, ["north"])
    (tmp_path / "north.key_secret").write_bytes((tmp_path / "associators" / "north.key").read_bytes())
    with pytest.raises(InputError, match="has no secret key"):
        AssociatorKeys.read(tmp_path, "north")
