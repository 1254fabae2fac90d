"""The locks: what is installed, in which version, with the SHA-256 of each file; `make lock` writes them, `make setup` checks them.

python -m tools.locks             # keep the versions that are locked, as far as pyproject.toml allows them
python -m tools.locks --upgrade   # the newest that pyproject.toml allows

uv resolves all parts together, for every Python that the project supports. Each file then has what its part needs beyond `run`, so
a machine installs `run.txt` and the files of its extras. What two extras need is in both files, in one version. `build.txt` and
`dist.txt` are whole: one is installed first, the other alone.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
#: The options that name each part of pyproject.toml to uv.
PARTS = {
    "build": ("--group", "build"),
    "run": ("pyproject.toml",),
    "plots": ("pyproject.toml", "--extra", "plots"),
    "fleet": ("pyproject.toml", "--extra", "fleet"),
    "notify": ("pyproject.toml", "--extra", "notify"),
    "develop": ("pyproject.toml", "--extra", "dev"),
    "fuzz": ("pyproject.toml", "--extra", "fuzz"),
    "frames": ("pyproject.toml", "--group", "frames"),
    "dist": ("--group", "dist"),
}
#: Parts that are locked whole.
WHOLE = ("build", "dist")
#: What a machine may install besides `run`.
EXTRAS = ("plots", "fleet", "notify")
HEAD = "# Written by `make lock` (tools/locks.py): the packages of `{part}`, each with the SHA-256 of its files.\n"
#: A package with its hashes, and comments that say what needs it.
BLOCK = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)==.*\n(?:    .*\n)*", re.MULTILINE)
PINNED = re.compile(r"^([a-z0-9][a-z0-9-]*)==([^ \n]+)", re.MULTILINE)


def blocks(text: str) -> dict[str, str]:
    """Return what a lock says of each package, by its name."""
    found: dict[str, str] = {}
    for match in BLOCK.finditer(text):
        found[match["name"]] = found.get(match["name"], "") + match[0]
    return found


def pins(part: str) -> dict[str, str]:
    """Return the version of each package of a lock."""
    return dict(PINNED.findall((LOCKS / f"{part}.txt").read_text("utf-8")))


def write(*options: str) -> None:
    """Resolve all parts and write their locks."""
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole.txt"
        whole.write_text("".join(path.read_text("utf-8") for path in sorted(LOCKS.glob("*.txt"))), "utf-8")
        everything = ["pyproject.toml", "--all-extras", *PARTS["build"], *PARTS["dist"], *PARTS["frames"][1:]]
        _compile(*everything, "--generate-hashes", *options, "-o", str(whole))
        known = blocks(whole.read_text("utf-8"))
        needed = {part: set(blocks(_compile(*words, "-c", str(whole)))) for part, words in PARTS.items()}
    LOCKS.mkdir(exist_ok=True)
    installed = set[str]().union(*(needed[part] for part in ("run", *EXTRAS)))
    before = {**{part: set[str]() for part in (*WHOLE, "run")}, **dict.fromkeys(EXTRAS, needed["run"])}
    for part, names in needed.items():
        own = names - before.get(part, installed)
        packages = "".join(known[name] for name in sorted(own))
        (LOCKS / f"{part}.txt").write_text(HEAD.format(part=part) + packages, "utf-8")


def _compile(*options: str) -> str:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--universal", *options]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    write(*sys.argv[1:])
