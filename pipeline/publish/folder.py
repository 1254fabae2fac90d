"""Where a report goes by default: next to the lake, a folder for each sweep, and a link to the latest."""

import os
from pathlib import Path

from pipeline.errors import InputError
from pipeline.lake.store import Location

#: The folder next to a lake, and the link in it.
REPORTS, LATEST = "reports", "latest"
#: Permission bits of everybody except the owner of a file or folder.
OTHERS = 0o077
PRIVATE_FOLDER = 0o700


def next_to(lake: Location, sweep: str) -> Path:
    """Return the folder of a sweep's report next to a lake in a folder. Raises InputError for a lake in a bucket."""
    if not isinstance(lake, Path):
        raise InputError("--output", f"nothing can be written next to {lake}; name a folder with -o")
    return lake.absolute().parent / REPORTS / sweep


def point_latest(folder: Path) -> Path:
    """Make the link `latest` next to a report's folder point to it, at once and whole; return the link. Raises InputError."""
    link = folder.with_name(LATEST)
    new = folder.with_name(f".{LATEST}-{os.getpid()}")
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(folder.name)
        new.replace(link)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise InputError(str(link), f"cannot be made a link to {folder.name}: {error.strerror}") from None
    return link


def require_private(folder: Path) -> None:
    """Create the folder for the report, mode 0700. Raises InputError if it exists and others may read it."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise InputError(str(folder), f"cannot be made: {error.strerror}") from None
    if mode & OTHERS:
        raise InputError(
            str(folder), f"may be read by others (mode {mode & 0o777:o}); `chmod 700 {folder}`, or name another folder"
        )
