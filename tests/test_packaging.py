"""The distribution: unique top-level names, few files at the root, every folder explained."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
DISTRIBUTION = "dicom-census"
PACKAGES = ("pipeline", "flows")

#: Files directly in pipeline/, except `__init__.py`: the command line, and the words that every folder shares.
MOST_AT_THE_ROOT = 8


def test_nobody_else_owns_our_names() -> None:
    """No other installed distribution has a package with the name of one of ours."""
    owners = packages_distributions()
    assert {name: owners[name] for name in PACKAGES if set(owners.get(name, ())) - {DISTRIBUTION}} == {}


def test_flows_hide_no_package() -> None:
    """No flow has the name of an installed package or a module of Python: Prefect may put its folder first on the path."""
    taken = set(sys.stdlib_module_names) | set(packages_distributions())
    assert {path.stem for path in (ROOT / "flows").rglob("*.py")} & taken <= {"__init__"}


def test_the_root_stays_small() -> None:
    """At most 8 files lie loose in pipeline/ besides `__init__.py`; every other file has a folder named by its noun."""
    loose = sorted(path.name for path in (ROOT / "pipeline").glob("*.py") if path.name != "__init__.py")
    assert len(loose) <= MOST_AT_THE_ROOT, loose


def test_every_folder_says_what_it_is_for() -> None:
    """Each folder of the program is a package whose `__init__.py` has a docstring."""
    folders = {path.parent for package in (*PACKAGES, "tools") for path in (ROOT / package).rglob("*.py")}
    silent = [folder for folder in folders if not _docstring(folder / "__init__.py")]
    assert not silent


def test_the_makefile_names_what_there_is() -> None:
    """Every path below tests/, tools/ or data/ in the Makefile exists, so that a moved test is not silently left out."""
    named = set(re.findall(r"\b(?:tests|tools|data)/[\w./-]+", (ROOT / "Makefile").read_text("utf-8")))
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) if path.is_file() else None
