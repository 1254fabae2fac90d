"""Results in files: whole or not at all."""

import os
from pathlib import Path

import pytest

from pipeline import host


def test_a_result_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves what was there before, and nothing of 0 bytes."""
    path = tmp_path / "report.html"
    with pytest.raises(OSError, match="full"), host.result(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []
    host.write_result(path, "whole")

    def full(_: int) -> None:
        raise OSError("full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        host.write_result(path, b"new")
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.html", "whole")]


def test_a_link_and_a_device(tmp_path: Path) -> None:
    """A link of the user's stays one; a pipe or device is written as it is."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    host.write_result(tmp_path / "link", "text")
    host.write_result(Path(os.devnull), "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "text"


def test_memory() -> None:
    """Available memory is a number of bytes below all memory."""
    assert 1 << 20 < host.memory_available() < 1 << 50
