from pathlib import Path

import pytest

from tests.commands.running import IDENTITY, census, write_config


def test_identity_writes_what_scanned_networks_read(tmp_path: Path) -> None:
    """The page and the probe description are laid out as the web server has them."""
    done = census("identity", write_config(tmp_path), "-o", str(tmp_path / "public"))
    assert done.returncode == 0, done.stderr
    assert "a@example.org" in (tmp_path / "public" / "index.html").read_text()
    assert "Contact: mailto:a@example.org\n" in (tmp_path / "public/.well-known/probing.txt").read_text()
    assert "the page names no source address" in done.stderr


@pytest.mark.parametrize(
    ("identity", "options", "message"),
    [
        (IDENTITY, (), "give -o FOLDER"),
        ('ae_title = "LAB"', ("-o", "x"), "key identity.contact: is required"),
        (IDENTITY, ("--check", "--source", "example.org"), "--source: 'example.org' is not an IPv4 address"),
    ],
)
def test_identity_with_bad_input(tmp_path: Path, identity: str, options: tuple[str, ...], message: str) -> None:
    """Missing or invalid input is named, and the exit code is 2."""
    done = census("identity", write_config(tmp_path, identity=identity), *options)
    assert done.returncode == 2 and message in done.stderr, done.stderr
