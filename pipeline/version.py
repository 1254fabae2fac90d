"""Which program this is: its release, and a digest of its code, since two checkouts of one release may differ."""

import hashlib
from functools import cache
from pathlib import Path

from pipeline import __version__

ROOT = Path(__file__).parent


@cache
def code() -> str:
    """Release and the first 12 hexadecimal digits of a SHA-256 over the package's files, e.g. `0.1.0+3f9c01d2e4b5`."""
    content = hashlib.sha256()
    for path in sorted(ROOT.rglob("*.py")):
        content.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}+{content.hexdigest()[:12]}"
