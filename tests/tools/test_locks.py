"""The locks have what pyproject.toml declares, each package once, with hashes of its files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.locks import EXTRAS as EXTRA_PARTS
from tools.locks import LOCKS, PARTS, blocks, pins

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
#: What pyproject.toml declares of each part, and the locks that a machine with this part installs.
DECLARED = {
    "build": (PROJECT["dependency-groups"]["build"], ("build",)),
    "run": (PROJECT["project"]["dependencies"], ("run",)),
    "plots": (EXTRAS["plots"], ("run", "plots")),
    "fleet": (EXTRAS["fleet"], ("run", "fleet")),
    "notify": (EXTRAS["notify"], ("run", "notify")),
    "develop": (EXTRAS["dev"], ("run", "plots", "fleet", "notify", "develop")),
    "fuzz": (EXTRAS["fuzz"], ("run", "fuzz")),
    "frames": (PROJECT["dependency-groups"]["frames"], ("frames",)),
    "dist": (PROJECT["dependency-groups"]["dist"], ("dist",)),
}


@pytest.mark.parametrize("part", PARTS)
def test_what_is_declared_is_locked(part: str) -> None:
    """Each declared package is locked for its part, in a version that pyproject.toml allows."""
    declared, installed = DECLARED[part]
    versions = {name: version for lock in installed for name, version in pins(lock).items()}
    wanted = [each for each in map(Requirement, declared) if each.name != PROJECT["project"]["name"]]
    assert wanted
    assert [
        str(each) for each in wanted if not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"))
    ] == []


def test_build_needs_what_it_needs() -> None:
    """The build backend of pyproject.toml is one of the packages that build."""
    (backend,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert backend.specifier.contains(pins("build")[backend.name])


@pytest.mark.parametrize("part", PARTS)
def test_every_package_has_hashes(part: str) -> None:
    """Every line of a lock is a comment or belongs to a package, and every package has the SHA-256 of at least one file."""
    text = (LOCKS / f"{part}.txt").read_text("utf-8")
    known = blocks(text)
    assert text.partition("\n")[2] == "".join(known.values())
    assert [name for name, block in known.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []


def test_no_package_has_two_versions() -> None:
    """A package that stands in several locks has one version; only extras and the locks that are whole have what others have."""
    versions: dict[str, str] = {}
    for part in PARTS:
        for name, version in pins(part).items():
            assert versions.setdefault(name, version) == version
    whole, extras = set(pins("run")), [set(pins(part)) for part in EXTRA_PARTS]
    alone = [whole, set[str]().union(*extras), *(set(pins(part)) for part in ("develop", "fuzz", "frames"))]
    assert sum(map(len, alone)) == len(set().union(*alone))


def test_the_page_has_packages_of_today() -> None:
    """Each package that docs/supply.md explains is locked in the version that the page has."""
    page = (ROOT / "docs" / "supply.md").read_text("utf-8")
    explained = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \| \d{4}-\d\d \|", page, re.MULTILINE))
    locked = {name: version for part in PARTS for name, version in pins(part).items()}
    assert explained
    assert {name: version for name, version in explained.items() if locked.get(name) != version} == {}


def test_blocks_keep_forks_and_comments() -> None:
    """A package that has two versions by Python's, and the comments below it, stay together under its name."""
    text = "a==1 ; python_version < '3.12' \\\n    --hash=sha256:0\n    # via b\na==2\nb-c==3\n"
    assert blocks(text) == {"a": text.removesuffix("b-c==3\n"), "b-c": "b-c==3\n"}
