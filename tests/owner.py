"""An owner who signs lists of ranges, with OpenSSL's command line as docs/own-ranges.md has it."""

import subprocess
from pathlib import Path


def sign(folder: Path, text: str) -> dict[str, str]:
    """Write list, key and signature into a folder; the keys of `[own]` with the files' names."""
    (folder / "ranges.txt").write_text(text)
    for command in (
        "genpkey -algorithm ed25519 -out owner.key",
        "pkey -in owner.key -pubout -out owner.pem",
        "pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=30)
    return {"ranges": "ranges.txt", "signature": "ranges.txt.sig", "public_key": "owner.pem"}
