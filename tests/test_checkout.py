"""The version of this program."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline import __version__, checkout


def test_release_and_digest() -> None:
    """The version is the release and twelve hexadecimal digits, the same each time."""
    assert re.fullmatch(rf"{re.escape(__version__)}\+[0-9a-f]{{12}}", checkout.code())
    assert checkout.code.__wrapped__() == checkout.code()


def test_any_change_of_the_code_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout with one more line, or with a moved file, is another version; the same files elsewhere are the same version."""
    copy = tmp_path / "pipeline"
    shutil.copytree(checkout.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(checkout, "PACKAGE", copy)
    assert checkout.code.__wrapped__() == checkout.code()
    with (copy / "errors.py").open("a") as file:
        file.write("# one more line\n")
    changed = checkout.code.__wrapped__()
    (copy / "errors.py").rename(copy / "faults.py")
    assert len({checkout.code(), changed, checkout.code.__wrapped__()}) == 3
