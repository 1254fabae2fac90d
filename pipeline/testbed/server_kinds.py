"""The kinds of real servers: how each is configured and started, one row per kind. Decoys are in `decoys.py`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import CensusError
from pipeline.testbed.spec import Server

#: dcmqrscp counts ended associations as open until its next clean-up, so its limit must be high.
DCMQRSCP_ASSOCIATIONS = 500
CERTIFICATE_SECONDS = 30
#: Writes the server's files into its folder and returns the command that serves on a port.
Starter = Callable[[Server, int, Path], list[str]]


def program(name: str) -> str:
    """The path of a compiled server program. Raises CensusError if it is not installed.

    Scripts are skipped: pynetdicom installs its own `storescp`, which is first on PATH in an active environment.
    """
    candidates = (shutil.which(name, path=folder) for folder in os.get_exec_path())
    compiled = next((path for path in candidates if path and not _is_script(path)), None)
    if compiled is None:
        raise CensusError(f"the testbed needs the server {name}, which is not on PATH; `make setup` installs it")
    return compiled


def _is_script(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(2) == b"#!"


def storescp(server: Server, port: int, folder: Path) -> list[str]:
    """DCMTK's storage server, one process per visitor; it accepts every title."""
    return [
        program("storescp"),
        "--fork",
        "--ignore",
        "--aetitle",
        server.ae_title,
        "--output-directory",
        str(folder),
        str(port),
    ]


def dcmqrscp(server: Server, port: int, folder: Path) -> list[str]:
    """DCMTK's archive; it always checks the called title, and rejects callers other than its peers by 1/1/7."""
    (folder / "store").mkdir()
    hosts = "".join(f"peer{number} = ({title}, localhost, 11112)\n" for number, title in enumerate(server.callers))
    peers = ", ".join(f"peer{number}" for number in range(len(server.callers))) or "ANY"
    configuration = (
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = {DCMQRSCP_ASSOCIATIONS}\n"
        f"HostTable BEGIN\n{hosts}HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{server.ae_title} {folder / 'store'} RW (10, 1mb) {peers}\nAETable END\n"
    )
    (folder / "dcmqrscp.cfg").write_text(configuration)
    return [program("dcmqrscp"), "--config", str(folder / "dcmqrscp.cfg"), str(port)]


def orthanc(server: Server, port: int, folder: Path) -> list[str]:
    """Orthanc without its web server; with callers, it rejects all others by 1/1/3."""
    strict = bool(server.callers)
    options = {
        "Name": server.name,
        "DicomAet": server.ae_title,
        "DicomPort": port,
        "DicomCheckCalledAet": server.check_called,
        "DicomAlwaysAllowEcho": not strict,
        "DicomAlwaysAllowStore": not strict,
        "DicomCheckModalityHost": False,
        "DicomModalities": {
            f"peer{number}": [title, "127.0.0.1", 11112] for number, title in enumerate(server.callers)
        },
        "HttpServerEnabled": False,
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "ConcurrentJobs": 1,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(options))
    return [program("Orthanc"), str(folder / "orthanc.json")]


def pynetdicom(server: Server, port: int, folder: Path) -> list[str]:
    """A pynetdicom server."""
    called = ["--called"] * server.check_called
    callers = [word for title in server.callers for word in ("--caller", title)]
    return [sys.executable, "-m", "pipeline.testbed.scp", str(port), server.ae_title, *called, *callers]


def tls(server: Server, port: int, folder: Path) -> list[str]:
    """OpenSSL with its own certificate; it closes a plain request without a byte (OpenSSL 3 sends no alert then)."""
    key, certificate = _certificate(server, folder)
    # -www: without it, s_server reads its standard input and ends each connection at its end.
    return ["openssl", "s_server", "-accept", str(port), "-key", key, "-cert", certificate, "-www", "-quiet"]


def storescp_tls(server: Server, port: int, folder: Path) -> list[str]:
    """DCMTK's storage server behind TLS, one process per visitor; it requests no certificate."""
    key, certificate = _certificate(server, folder)
    plain = storescp(server, port, folder)
    return [*plain[:-1], "+tls", key, certificate, "--ignore-peer-cert", plain[-1]]


def _certificate(server: Server, folder: Path) -> tuple[str, str]:
    """Make a key and a self-signed certificate; return their paths. Raises CensusError."""
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    subject = ["-subj", f"/CN={server.name}", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command = ["openssl", "req", "-x509", "-nodes", "-keyout", key, "-out", certificate, *subject]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=CERTIFICATE_SECONDS)
    if result.returncode != 0:
        raise CensusError(f"cannot make a certificate for the testbed's server {server.name}: {result.stderr.strip()}")
    return key, certificate


REAL: dict[str, Starter] = {
    "storescp": storescp,
    "dcmqrscp": dcmqrscp,
    "orthanc": orthanc,
    "pynetdicom": pynetdicom,
    "storescp-tls": storescp_tls,
    "tls": tls,
}
