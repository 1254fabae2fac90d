"""Running census in a testbed, and what was on its wire."""

import os
import sys
from collections import defaultdict
from ipaddress import IPv4Address
from pathlib import Path

import dpkt

ROOT = Path(__file__).parents[2]
CENSUS = [sys.executable, "-m", "pipeline"]
VANTAGE = IPv4Address("198.18.0.1").packed


def in_testbed(*command: str, capture: Path | None = None, spec: Path | None = None) -> list[str]:
    """The command that runs census in a testbed (the demo's, or that of a spec), captured on the vantage's side."""
    captured = ["--capture", str(capture)] if capture else []
    played = ["--spec", str(spec)] if spec else []
    return [*CENSUS, "testbed", "run", *played, *captured, "--", *CENSUS, *command]


def environment(folder: Path) -> dict[str, str]:
    """Nothing leaves but into a testbed; Prefect keeps its database in the folder."""
    return os.environ | {"CENSUS_ONLY_TESTBED": "1", "PREFECT_HOME": str(folder / "prefect")}


def packets(path: Path) -> list[dpkt.ip.IP]:
    """The IPv4 packets of a capture; anything else fails."""
    return [packet for _, packet in timed(path)]


def timed(path: Path) -> list[tuple[float, dpkt.ip.IP]]:
    """The IPv4 packets of a capture, and when each was seen (seconds since 1970)."""
    with path.open("rb") as file:
        frames = [(seen, dpkt.ethernet.Ethernet(data)) for seen, data in dpkt.pcap.Reader(file)]
    assert all(isinstance(frame.data, dpkt.ip.IP) for _, frame in frames)
    return [(seen, frame.data) for seen, frame in frames]


def streams(sent: list[dpkt.ip.IP]) -> dict[tuple[bytes, int, int], bytes]:
    """What we sent on each connection, in the order of the sequence numbers, each byte once."""
    pieces: dict[tuple[bytes, int, int], dict[int, bytes]] = defaultdict(dict)
    for packet in sent:
        if packet.data.data:
            pieces[packet.dst, packet.data.sport, packet.data.dport][packet.data.seq] = packet.data.data
    return {flow: b"".join(data for _, data in sorted(parts.items())) for flow, parts in pieces.items()}
