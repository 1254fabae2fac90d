"""Which program this is, and where its files lie: its release, a digest of its code, and its folders of data.

Two checkouts of one release may differ, so a plan carries the digest, and a worker refuses the plan of another program. A
checkout and the wheel that is built of it are one program: their digests are equal.
"""

import hashlib
from functools import cache
from pathlib import Path

from pipeline import __version__

PACKAGE = Path(__file__).parent
#: A wheel has the folders of the data here (pyproject.toml), a checkout at its root.
BUNDLED = PACKAGE / "bundled"
ROOT = BUNDLED if BUNDLED.is_dir() else PACKAGE.parent
SCHEMAS = ROOT / "schemas"
ANALYSIS = ROOT / "analysis"
REFERENCE = ROOT / "data" / "reference"
TESTBED = ROOT / "data" / "testbed"


@cache
def code() -> str:
    """Release and the first 12 hexadecimal digits of a SHA-256 over the package's files, e.g. `0.1.0+3f9c01d2e4b5`."""
    content = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{__version__}+{content.hexdigest()[:12]}"
