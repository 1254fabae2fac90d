"""Install a product's packages into a folder of its own: nothing else of the machine changes, and nothing is started."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import CensusError
from tests.lab.products import Installation

#: Seconds for one installation: Debian's largest unpacks 500 MB.
LIMIT = 900
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"


def install(installation: Installation, store: Path) -> Path:
    """Install it, unless it is there; return its folder. Raises CensusError."""
    folder = store / installation.folder
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    INSTALLERS[installation.registry](installation, folder)
    (folder / "complete").touch()
    return folder


def version(installation: Installation, folder: Path, package: str) -> str:
    """The exact version of a package that was installed."""
    if installation.registry == "npm":
        return str(json.loads((folder / "node_modules" / package / "package.json").read_text("utf-8"))["version"])
    if installation.registry == "debian":
        files = sorted((folder / "apt/var/cache/apt/archives").glob(f"{package}_*.deb"))
        return _run(["dpkg-deb", "--field", str(files[0]), "Version"]).strip()
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]), sys.version.split()[0])"
    if installation.release == "3.7":  # which has pkg_resources instead
        code = "import sys, pkg_resources as p; print(p.get_distribution(sys.argv[1]).version, sys.version.split()[0])"
    return ", Python ".join(_run([str(folder / "bin/python"), "-c", code, package]).split())


def _pip(installation: Installation, folder: Path) -> None:
    """A virtual environment of the Python that the packages need; setuptools is what old ones miss."""
    python = _python(installation.release)
    _run([python, "-m", "venv", str(folder)])
    _run([str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *installation.packages])


def _python(release: str) -> str:
    """A Python of this release, on PATH or of pyenv's. Raises CensusError."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [f"python{release}", *map(str, versions.glob(f"{release}.*/bin/python"))]
    for candidate in filter(shutil.which, candidates):
        if subprocess.run([candidate, "--version"], check=False, capture_output=True).returncode == 0:
            return candidate
    raise CensusError(f"there is no Python {release}, on PATH or in {versions}")


def _npm(installation: Installation, folder: Path) -> None:
    _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *installation.packages])


def _debian(installation: Installation, folder: Path) -> None:
    """Download the packages and all that they need with an apt of their own, and unpack them; no script of theirs runs."""
    apt, root = folder / "apt", folder / "root"
    for path in ("etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/apt/preferences.d", "var/lib/dpkg"):
        (apt / path).mkdir(parents=True)
    for path in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (apt / path).mkdir(parents=True)
    (apt / "var/lib/dpkg/status").touch()
    (apt / "etc/apt/sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {installation.release} main\n")
    options = [f"Dir={apt}", f"Dir::State::status={apt}/var/lib/dpkg/status", "APT::Sandbox::User=root"]
    options.append("APT::Install-Recommends=false")
    command = ["apt-get", "--quiet", "--quiet", "--yes", *(word for option in options for word in ("-o", option))]
    _run([*command, "update"])
    _run([*command, "--download-only", "install", *installation.packages])
    root.mkdir()
    for archive in sorted((apt / "var/cache/apt/archives").glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(root)])
    for name in ("bin", "lib", "lib64", "sbin"):  # newer packages leave these links to base-files
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    shutil.copy("/usr/share/zoneinfo/UTC", root / "etc/localtime")


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Run it; return its output. Raises CensusError with the end of what it printed."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=LIMIT, env=environment or os.environ
    )
    if done.returncode != 0:
        raise CensusError(f"`{' '.join(command[:3])} …` failed: {(done.stdout + done.stderr).strip()[-600:]}")
    return done.stdout


INSTALLERS = {"pip": _pip, "npm": _npm, "debian": _debian}
