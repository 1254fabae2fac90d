"""Keep the kernel from answering for us: it knows nothing of our connections, and would reset them (DESIGN §6).

An nftables rule at ingress drops what comes back to our source ports before the kernel's TCP sees it; a packet socket still does.
A rule that a killed sender left behind is found by its dead process and removed at the next start.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import CensusError, InputError
from pipeline.wire.cookie import FIRST_SOURCE_PORT, SOURCE_PORTS

TABLE = "dicom_census_"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@contextmanager
def shield(interface: str, source: str, ports: Sequence[int]) -> Iterator[None]:
    """Drop TCP from these ports to our source ports on an interface. Raises CensusError if nftables cannot."""
    _require_apart()
    for stale in _stale():
        _nft(f"delete table netdev {stale}")
    table = f"{TABLE}{os.getpid()}"
    last = FIRST_SOURCE_PORT + SOURCE_PORTS - 1
    rule = f"ip daddr {source} tcp sport {{ {', '.join(map(str, ports))} }} tcp dport {FIRST_SOURCE_PORT}-{last} drop"
    _nft(
        f"table netdev {table} {{\n chain ingress {{\n"
        f'type filter hook ingress device "{interface}" priority 0; policy accept;\n{rule}\n}}\n}}\n'
    )
    try:
        yield
    finally:
        _nft(f"delete table netdev {table}")


def _require_apart() -> None:
    """Raise InputError if ordinary connections of this machine may use our source ports."""
    first, last = map(int, EPHEMERAL.read_text().split())
    if first < FIRST_SOURCE_PORT + SOURCE_PORTS and last >= FIRST_SOURCE_PORT:
        ours = f"{FIRST_SOURCE_PORT}-{FIRST_SOURCE_PORT + SOURCE_PORTS - 1}"
        raise InputError(
            "net.ipv4.ip_local_port_range",
            f"{first}-{last} overlaps the ports of probes, {ours}: `sysctl net.ipv4.ip_local_port_range='32768 60999'`",
        )


def _stale() -> list[str]:
    """Our tables whose process has ended."""
    listed = re.findall(rf"table netdev ({TABLE}(\d+))", _nft("list tables netdev"))
    return [table for table, pid in listed if not Path(f"/proc/{pid}").exists()]


def _nft(command: str) -> str:
    try:
        done = subprocess.run(
            ["nft", "-f", "-"], input=command, capture_output=True, text=True, check=False, timeout=30
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CensusError(f"cannot ask nftables: {error}; install the package nftables") from None
    if done.returncode:
        raise CensusError(f"nftables refuses {command.split('{')[0].strip()!r}: {done.stderr.strip().splitlines()[:1]}")
    return done.stdout
