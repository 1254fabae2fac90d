"""`census release`: from a sealed sweep to a bundle."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands.running import ROOT, Census, write_config

LAKES = ROOT / "tests" / "data" / "lakes"
CITED = ("--licence", "CC0-1.0", "--creator", "Example Laboratory")


def copied(lake: str, folder: Path) -> Path:
    """A copy of a lake of the tests, since a release takes the sweep's turn: a file in the lake."""
    return shutil.copytree(LAKES / lake, folder / "lake")


def test_a_sealed_sweep_is_released(census: Census, tmp_path: Path) -> None:
    """The files are listed and there, and say by whose proof, without any key."""
    done = census("release", copied("sealed", tmp_path), "-o", tmp_path / "out", *CITED)
    assert done.returncode == 0, done.stderr
    written = [Path(line) for line in done.stderr.splitlines() if line.startswith(str(tmp_path))]
    assert {tmp_path / "out" / "reproduce.py", tmp_path / "out" / "data" / "countries.csv"} < set(written)
    assert all(path.exists() for path in written)
    about = json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))
    assert about["licence"] == "CC0-1.0" and about["proof"] and about["microdata"] == []


def test_a_configuration_says_how(census: Census, tmp_path: Path) -> None:
    """Section [release] of a configuration counts, and names the lake; options stand in for its keys."""
    lake, config = copied("sealed", tmp_path), write_config(tmp_path)
    with Path(config).open("a", encoding="utf-8") as file:
        file.write(f'[lake]\nurl = "{lake}"\n[release]\nlicence = "ODbL-1.0"\ncreators = ["A Laboratory"]\n')
    done = census("release", config, "-o", tmp_path / "out", "--title", "Another title")
    assert done.returncode == 0, done.stderr
    cited = json.loads((tmp_path / "out" / "datacite.json").read_text("utf-8"))
    assert cited["titles"] == [{"title": "Another title"}] and cited["creators"][0]["name"] == "A Laboratory"
    assert cited["rightsList"][0]["rightsIdentifier"] == "ODbL-1.0"


@pytest.mark.parametrize(
    ("lake", "options", "error"),
    [
        ("swept", CITED, "has no sealed sweep"),
        ("sealed", (), "--licence: which licence"),
        (
            "sealed",
            (*CITED, "--microdata"),
            "--previous: name the folder of the last release with microdata, or say --first",
        ),
        ("sealed", (*CITED, "--min-cell", "0"), "--min-cell: 0 is too small"),
        ("sealed", (*CITED, "--microdata", "--previous", "."), "release.json: cannot be read"),
    ],
)
def test_what_is_missing_is_named(
    census: Census, tmp_path: Path, lake: str, options: tuple[str, ...], error: str
) -> None:
    """A sweep that is not sealed, or what nobody chose, is refused in one line, and nothing is written."""
    done = census("release", copied(lake, tmp_path), "-o", tmp_path / "out", *options)
    assert done.returncode == 2 and error in done.stderr and not (tmp_path / "out").exists()


def test_a_broken_proof_is_refused(census: Census, tmp_path: Path) -> None:
    """A table that is not as it was sealed ends the command with 1; `--unverified` releases all the same, and says so."""
    lake = copied("sealed", tmp_path)
    (table,) = (lake / "responses").glob("*/part-0.parquet")
    shutil.copy(next((lake / "associations").glob("*/part-0.parquet")), table.with_name("other"))
    manifest = next(lake.glob("plans/*/manifest.json"))
    manifest.write_text(manifest.read_text("utf-8").replace('"rows":', '"rows" :', 1), "utf-8")
    refused = census("release", lake, "-o", tmp_path / "out", *CITED)
    assert refused.returncode == 1 and "--unverified" in refused.stderr and not (tmp_path / "out").exists()
    done = census("release", lake, "-o", tmp_path / "out", *CITED, "--unverified")
    assert done.returncode == 0, done.stderr
    assert "Not verified" in (tmp_path / "out" / "README.md").read_text("utf-8")
