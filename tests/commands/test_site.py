"""`census site`: from a lake to a folder that a web server serves."""

import shutil
from pathlib import Path

from tests.commands.running import ROOT, Census, write_config

SEALED = ROOT / "tests" / "data" / "lakes" / "sealed"


def test_a_configuration_says_how(census: Census, tmp_path: Path) -> None:
    """Section [release] of a configuration counts, and names the lake; options stand in for its keys."""
    lake, config = shutil.copytree(SEALED, tmp_path / "lake"), write_config(tmp_path)
    with Path(config).open("a", encoding="utf-8") as file:
        file.write(f'[lake]\nurl = "{lake}"\n[release]\nlicence = "ODbL-1.0"\npublisher = "A Laboratory"\n')
    for options, licence in (((), "ODbL 1.0"), (("--licence", "CC0-1.0"), "CC0 1.0")):
        done = census("site", config, "-o", tmp_path / licence, *options)
        assert done.returncode == 0, done.stderr
        front = (tmp_path / licence / "index.html").read_text("utf-8")
        assert "A Laboratory" in front and f"{licence}</a>" in front
