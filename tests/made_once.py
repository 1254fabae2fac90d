"""What takes long to make, and no test changes, is made once a run, for all workers of pytest-xdist together."""

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.lab.key import KEYS

Value = TypeVar("Value")


def made_once(request: pytest.FixtureRequest, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name, which `make` filled in the first process of this run that wanted it."""
    base: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    return filled((base.parent if hasattr(request.config, "workerinput") else base) / name, make)


def filled(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, which `make` filled in the first process that wanted it."""
    new = folder.with_name(f"{folder.name}.new")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            make(new)
            new.rename(folder)
    return folder


def computed(key: tuple[object, ...], compute: Callable[[], Value]) -> Value:
    """The value of this key, which `compute` gave in the first process of this run that wanted it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(os.environ[KEYS]).parent / "-".join(map(str, ("computed", run, *key)))

    def write(new: Path) -> None:
        (new / "value").write_bytes(pickle.dumps(compute()))

    value: Value = pickle.loads((filled(folder, write) / "value").read_bytes())
    return value
