"""A made-up network database of the size of a real one, for benchmarks: who announces which addresses, as an mmdb.

Blocks of a /20 each, in a random order, given to some tens of thousands of autonomous systems; a few hold many. Holders are named as
holders are, so that the rules over their names have as much to do as with real ones.
"""

from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
from mmdb_writer import MMDBWriter
from netaddr import IPSet

SYSTEMS, BLOCKS = 60_000, 300_000
#: The unicast space in /20 blocks.
FIRST, LAST = 1 << 12, 224 << 12
#: The larger, the more blocks the largest systems hold (a Pareto distribution's shape).
SHAPE = 1.2
NAMES = (
    "Telecom {}", "Hosting {} Ltd", "{} Networks", "University of {}", "{} Cloud", "Broadband {}", "{} Hospital", "{} Bank",
    "City of {}", "{} Limited",
)  # fmt: skip


def write(path: Path, size: int = BLOCKS) -> Path:
    """Write the database, of so many blocks."""
    draw = np.random.default_rng(7)
    blocks = np.unique(draw.integers(FIRST, LAST, size))
    weights = draw.pareto(SHAPE, SYSTEMS) + 1
    owners = draw.choice(SYSTEMS, len(blocks), p=weights / weights.sum())
    writer = MMDBWriter(ip_version=4, database_type="made up")
    order = np.argsort(owners, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1):
        number = int(owners[mine[0]])
        networks = IPSet([f"{IPv4Address(int(blocks[place]) << 12)}/20" for place in mine])
        holder = NAMES[number % len(NAMES)].format(number)
        writer.insert_network(
            networks, {"autonomous_system_number": number + 1, "autonomous_system_organization": holder}
        )
    writer.to_db_file(str(path))
    return path
