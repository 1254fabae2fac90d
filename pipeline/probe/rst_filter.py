"""Suppress the kernel's RSTs: it knows nothing of our connections, and would reset them (decision 1).

An nftables rule at ingress drops what comes back to our source ports. The kernel's TCP does not see it; a packet socket still does.
The name of the rule's table has the process id of its sender. A table whose process is dead is removed at the next start.
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
#: How long to wait, in seconds, for another sender with our source ports to end: it may be about to stop.
PATIENCE_SECONDS = 5.0


@contextmanager
def suppress_resets(interface: str, source: str, ports: Sequence[int], ours: Slice = WHOLE) -> Iterator[None]:
    """Drop TCP from these ports to a sender's source ports on an interface.

    Raises CensusError if nftables fails, and InputError if another live process sends from there: it would get our answers.
    """
    _require_separate_ports()
    prefix = f"{TABLE}{IPv4Address(source).packed.hex()}_{ours.first}_"
    _await_free(prefix, source)
    table = f"{prefix}{os.getpid()}"
    rule = f"ip daddr {source} tcp sport {{ {', '.join(map(str, ports))} }} tcp dport {ours.first}-{ours.last} drop"
    _nft(
        f"table netdev {table} {{\n chain ingress {{\n"
        f'type filter hook ingress device "{interface}" priority 0; policy accept;\n{rule}\n}}\n}}\n'
    )
    try:
        yield
    finally:
        _nft(f"delete table netdev {table}")


def _await_free(prefix: str, source: str) -> None:
    """Remove the tables of dead senders, and wait until no table has this prefix. Raises InputError if one stays."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        senders = [pid for table, pid in _live_tables() if table.startswith(prefix)]
        if not senders:
            return
        if time.monotonic() >= until:
            raise InputError(
                "key probe.source",
                f"process {senders[0]} sends from {source} already, and two would take each other's answers; "
                "key probe.senders lets one worker send with more processes",
            )
        time.sleep(0.1)


def _live_tables() -> list[tuple[str, int]]:
    """Our tables and the processes that made them. Tables of processes that have ended are removed."""
    matches = re.findall(rf"table netdev ({TABLE}[0-9a-f]{{8}}_\d+_(\d+))", _nft("list tables netdev"))
    tables = [(table, int(pid)) for table, pid in matches]
    for table, pid in tables:
        if host.started_at(pid) is None:
            _nft(f"delete table netdev {table}")
    return [(table, pid) for table, pid in tables if host.started_at(pid) is not None]


def _require_separate_ports() -> None:
    """Raise InputError if ordinary connections of this machine may use our source ports."""
    first, last = map(int, sockets.at_vantage(EPHEMERAL.read_text).split())
    if first <= WHOLE.last and last >= WHOLE.first:
        ours = f"{WHOLE.first}-{WHOLE.last}"
        raise InputError(
            "net.ipv4.ip_local_port_range",
            f"{first}-{last} overlaps the ports of probes, {ours}: `sysctl net.ipv4.ip_local_port_range='32768 60999'`",
        )


def _nft(command: str) -> str:
    """Run a command of nftables at the vantage; its output. A rule stays there when its process has ended."""
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
