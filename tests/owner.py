"""An owner who signs lists of ranges with OpenSSL's command line, as docs/own-ranges.md describes, and has them audited."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.config.sections import OwnSection
from pipeline.plan import own_ranges
from pipeline.space.signed import SignedRanges

#: What the owner agrees to: these two may audit, with any profile, for a year.
TERMS = """owner: {owner}
auditor: census@example.org
profile: associate, echo, tls, capabilities
from: {today}
until: {until}
"""
SIGNED = "# the hospital\n193.62.0.0/25\n10.20.0.0/30  # behind its firewall\n"
OWNER = "St Example =Hospital"
CONFIG = """
[sweep]
name = "audit"
ports = [104, 2762]
seed = 7
rate = 2000
shards = 2
profile = "{profile}"

[identity]
contact = "census@example.org"
url = "https://census.example.org/"
authorised_by = "a test in a closed testbed"

[probe]
cooldown = 2.0

[own]
owner = "St Example =Hospital"
ranges = "ranges.txt"
signature = "ranges.txt.sig"
public_key = "owner.pem"
"""


def terms(owner: str = "St Example", **changed: str) -> str:
    """The lines of a signed list that say what its owner agrees to."""
    today = datetime.now(UTC).date()
    text = TERMS.format(owner=owner, today=today - timedelta(days=1), until=today + timedelta(days=300))
    for name, value in changed.items():
        text = re.sub(rf"^{name}: .*$", f"{name}: {value}", text, flags=re.M)
    return text


def signed_list(folder: Path, text: str, agreed: str = "") -> dict[str, str]:
    """Write list, key and signature into a folder; return the keys of `[own]` with the files' names."""
    (folder / "ranges.txt").write_text((agreed or terms()) + text)
    for command in (
        "genpkey -algorithm ed25519 -out owner.key",
        "pkey -in owner.key -pubout -out owner.pem",
        "pkeyutl -sign -inkey owner.key -rawin -in ranges.txt -out ranges.txt.sig",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=30)
    return {"ranges": "ranges.txt", "signature": "ranges.txt.sig", "public_key": "owner.pem"}


def hospital(folder: Path, profile: str, signed: str = SIGNED) -> Path:
    """Write a signed list and a configuration into a folder; return the configuration."""
    (folder / "ranges.txt").write_text(terms(OWNER) + signed)
    own_ranges.make_key(folder / "owner.key", folder / "owner.pem")
    own_ranges.sign(folder / "ranges.txt", folder / "owner.key", folder / "ranges.txt.sig")
    (folder / "audit.toml").write_text(CONFIG.format(profile=profile))
    return folder / "audit.toml"


def signed_ranges(folder: Path, text: str) -> SignedRanges:
    """A list that its owner signed, as a plan has it."""
    read = own_ranges.read(OwnSection(owner="St Example", **signed_list(folder, text)), folder)
    assert read is not None
    return read
