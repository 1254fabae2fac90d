"""Keep the kernel from answering for us: it knows nothing of our connections, and would reset them (decision 1).

An nftables rule at ingress drops what comes back to our source ports before the kernel's TCP sees it; a packet socket still does.
A rule that a killed sender left behind is found by its dead process and removed at the next start.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from pipeline import host
from pipeline.errors import CensusError, InputError
from pipeline.guard import sockets
from pipeline.wire.cookie import WHOLE, Slice

TABLE = "dicom_census_"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: How long to wait for another sender with our source ports to be gone: it may have been told to stop just now.
PATIENCE_SECONDS = 5.0


@contextmanager
def suppress_resets(interface: str, source: str, ports: Sequence[int], ours: Slice = WHOLE) -> Iterator[None]:
    """Drop TCP from these ports to a sender's source ports on an interface.

    Raises CensusError if nftables cannot, InputError if another process that lives sends from there: answers would go astray.
    """
    _require_apart()
    place = f"{TABLE}{IPv4Address(source).packed.hex()}_{ours.first}_"
    _await_free(place, source)
    table = f"{place}{os.getpid()}"
    rule = f"ip daddr {source} tcp sport {{ {', '.join(map(str, ports))} }} tcp dport {ours.first}-{ours.last} drop"
    _nft(
        f"table netdev {table} {{\n chain ingress {{\n"
        f'type filter hook ingress device "{interface}" priority 0; policy accept;\n{rule}\n}}\n}}\n'
    )
    try:
        yield
    finally:
        _nft(f"delete table netdev {table}")


def _await_free(place: str, source: str) -> None:
    """Remove what dead senders left, and wait until nobody sends from this place. Raises InputError if somebody goes on to."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        living = _living()
        taken = [pid for table, pid in living if table.startswith(place)]
        if not taken:
            return
        if time.monotonic() >= until:
            raise InputError(
                "key probe.source",
                f"process {taken[0]} sends from {source} already, and two would take each other's answers; "
                "key probe.senders lets one worker send with more processes",
            )
        time.sleep(0.1)


def _living() -> list[tuple[str, int]]:
    """Our tables and the processes that made them; those whose process has ended are removed."""
    found = re.findall(rf"table netdev ({TABLE}[0-9a-f]{{8}}_\d+_(\d+))", _nft("list tables netdev"))
    made = [(table, int(pid)) for table, pid in found]
    for table, pid in made:
        if host.started_at(pid) is None:
            _nft(f"delete table netdev {table}")
    return [(table, pid) for table, pid in made if host.started_at(pid) is not None]


def _require_apart() -> None:
    """Raise InputError if ordinary connections of this machine may use our source ports."""
    first, last = map(int, sockets.at_vantage(EPHEMERAL.read_text).split())
    if first <= WHOLE.last and last >= WHOLE.first:
        ours = f"{WHOLE.first}-{WHOLE.last}"
        raise InputError(
            "net.ipv4.ip_local_port_range",
            f"{first}-{last} overlaps the ports of probes, {ours}: `sysctl net.ipv4.ip_local_port_range='32768 60999'`",
        )


def _nft(command: str) -> str:
    """Have nftables do something at the vantage; what it says. The rule stays there, whoever made it."""
    return sockets.at_vantage(lambda: _nft_here(command))


def _nft_here(command: str) -> str:
    try:
        done = subprocess.run(
            ["nft", "-f", "-"], input=command, capture_output=True, text=True, check=False, timeout=30
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CensusError(f"nftables cannot be run: {error}; install the package nftables") from None
    if done.returncode:
        raise CensusError(f"nftables refuses {command.split('{')[0].strip()!r}: {done.stderr.strip().splitlines()[:1]}")
    return done.stdout
