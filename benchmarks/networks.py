"""A synthetic network database of realistic size, for benchmarks: the autonomous system of each address, as an mmdb.

Blocks of a /20 each are assigned at random to tens of thousands of autonomous systems, a few of which have many. The names of
holders are realistic, so the rules on names have as much work as with real names.
"""

from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
from mmdb_writer import MMDBWriter
from netaddr import IPSet

SYSTEMS, BLOCKS = 60_000, 300_000
#: The unicast space in /20 blocks.
FIRST, LAST = 1 << 12, 224 << 12
#: Shape of the Pareto distribution of blocks per system.
SHAPE = 1.2
NAMES = (
    "Telecom {}", "Hosting {} Ltd", "{} Networks", "University of {}", "{} Cloud", "Broadband {}", "{} Hospital", "{} Bank",
    "City of {}", "{} Limited",
)  # fmt: skip


def write(path: Path, size: int = BLOCKS) -> Path:
    """Write a database with `size` blocks."""
    random = np.random.default_rng(7)
    blocks = np.unique(random.integers(FIRST, LAST, size))
    weights = random.pareto(SHAPE, SYSTEMS) + 1
    owners = random.choice(SYSTEMS, len(blocks), p=weights / weights.sum())
    writer = MMDBWriter(ip_version=4, database_type="made up")
    order = np.argsort(owners, kind="stable")
    for indices in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1):
        number = int(owners[indices[0]])
        networks = IPSet([f"{IPv4Address(int(blocks[index]) << 12)}/20" for index in indices])
        holder = NAMES[number % len(NAMES)].format(number)
        writer.insert_network(
            networks, {"autonomous_system_number": number + 1, "autonomous_system_organization": holder}
        )
    writer.to_db_file(str(path))
    return path
