"""A sealed, enriched sweep with services in two countries, for the tests of hand-overs; and keys of receivers."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pyrage

from pipeline.lake import parts
from pipeline.lake.layout import Sweep
from pipeline.notify.edition import Edition, Notifiable
from pipeline.sweep import freeze
from pipeline.sweep import run as sweep
from tests.publish import demo, history

GB, DE = int(IPv4Address("20.0.0.1")), int(IPv4Address("20.0.1.1"))
SEEN = datetime(2026, 6, 20, 4, 5, 6, tzinfo=UTC)
CONFIG = """
[sweep]
name = "x"
ports = [104]
seed = 1
rate = 100
[targets]
include = ["20.0.0.0/23"]
"""
#: Outcome of each British address, with the suspicions of it.
BRITISH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("accepted", ()),
    ("rejected", ()),
    ("accepted", ("dicompot-echo",)),
    ("aborted", ()),
    ("accepted_no_verification", ("max-pdu-huge",)),
)
#: The British address that demands a client certificate, and one that is silent.
MUTUAL, SILENT = GB + 20, GB + 21
BOOK = """
lab = "Example Laboratory"
contact = "census@example.org"

[[recipient]]
name = "cert-gb"
country = "GB"
key = "gb.txt"
formats = ["shadowserver", "intelmq", "n6", "stix", "openkat"]

[[recipient]]
name = "cert-de"
country = "DE"
key = "{de}"
formats = ["shadowserver"]
"""


def make(folder: Path) -> Sweep:
    """Write the lake into a folder."""
    (folder / "config.toml").write_text(CONFIG)
    plan = freeze.freeze(folder / "config.toml", folder / "lake")
    paths = sweep.begin(plan, folder / "lake").paths
    for name, rows in tables().items():
        parts.write(paths.sealed(name), parts.tidy([history.arrow(name, rows)], name), name, paths.id)
    return Sweep(plan, paths)


def tables() -> dict[str, list[dict[str, Any]]]:
    """The rows of the sweep's tables."""
    british = [(GB + n, outcome, suspicions) for n, (outcome, suspicions) in enumerate(BRITISH)]
    spoke = [*british, *((DE + n, "accepted", ()) for n in range(8))]
    services = [{"ip": ip, "port": 104, "outcome": outcome} for ip, outcome, _ in spoke]
    others = [{"ip": MUTUAL, "port": 104, "outcome": "tls"}, {"ip": SILENT, "port": 104, "outcome": "silent"}]
    names = {GB: ("healthcare", "pacs.trust.example"), GB + 1: ("unknown", "")}
    return {
        "sweeps": [demo.sweep_row(512, len(spoke) + 2) | {"finished_at": SEEN}],
        "responses": [{**row, "answered_at": SEEN} for row in (*services, *others)],
        "associations": [{**row, "raw_length": 100 + n} for n, row in enumerate(services)],
        "locations": [
            {"ip": row["ip"], "country": "DE" if row["ip"] >= DE else "GB", "asn": 64500, "organisation": "Net, =of\n all"}
            for row in (*services, *others)
        ],
        "fingerprints": [
            {
                "ip": ip, "port": 104, "suspicions": list(suspicions), "product": "=Product", "product_version": "1,2",
                "vendor": "Vendor\x1b[31m", "suspicions_tried": [1] * len(suspicions), "suspicions_wrong": [0] * len(suspicions),
            }
            for ip, _, suspicions in spoke
        ],
        "owners": [{"ip": ip, "sector": sector} for ip, (sector, _) in names.items()],
        "host_names": [
            {"ip": ip, "naming": "confirmed", "names": [name] if name else []} for ip, (_, name) in names.items()
        ],
        "tls": [
            {"ip": MUTUAL, "port": 104, "round": 2, "handshake": "needs_client_certificate", "client_certificate": "required"}
        ],
        "methods": [{"method_digest": "m", "space_digest": "s"}],
    }  # fmt: skip


@dataclass(frozen=True)
class Laboratory:
    """A lake, an address book next to it, and the secret keys of its recipients."""

    sweep: Sweep
    book: Path
    gb: pyrage.x25519.Identity
    de: pyrage.x25519.Identity

    @property
    def lake(self) -> Path:
        """The folder of the lake."""
        return Path(str(self.sweep.paths.lake))


def laboratory(folder: Path) -> Laboratory:
    """Make a lake and an address book in a folder."""
    gb, de = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (folder / "gb.txt").write_text(f"{gb.to_public()}\n")
    (folder / "book.toml").write_text(BOOK.format(de=de.to_public()))
    return Laboratory(make(folder), folder / "book.toml", gb, de)


def edition(count: int = 2) -> Edition:
    """An edition with hostile texts."""
    services = tuple(
        Notifiable(
            ip=GB + n, address=str(IPv4Address(GB + n)), port=104, severity=("high", "medium", "info")[n % 3],
            tag=("dicom;any-ae", "dicom;rejected", "dicom;client-certificate;tls")[n % 3], answered_at=SEEN, country="GB",
            asn=64500 if n != 1 else None, organisation="Net, of all", host_name="pacs.trust.example" if n == 0 else "", sector="",
            vendor="Vendor", product="=Product" if n == 0 else "", product_version="1,2", toolkit="Kit", toolkit_version="3",
            response_size=100 if n == 0 else None, decoy=False,
        )
        for n in range(count)
    )  # fmt: skip
    return Edition("Example Laboratory", "census@example.org", "cert-gb", "gb", "s1", SEEN.date(), services, 3, 2, 5)


def gpg(home: Path, *arguments: str, data: bytes = b"") -> bytes:
    """Run GnuPG with a folder of its own."""
    home.mkdir(mode=0o700, exist_ok=True)
    command = ["gpg", "--quiet", "--batch", "--homedir", str(home), *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=120).stdout
