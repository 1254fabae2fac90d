"""What the program keeps on a machine for itself, beside any lake (XDG Base Directory Specification)."""

import os
from pathlib import Path


def folder(variable: str, default: str) -> Path:
    """The program's folder below the one that a variable of the environment names; `default` is below the user's own."""
    return Path(os.environ.get(variable) or Path.home() / default) / "dicom-census"
