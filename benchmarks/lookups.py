"""Addresses located a second by flattened ranges and by maxminddb's readers: `python -m benchmarks.lookups [--million N]`.

A country database of random networks is written as an mmdb; both sides look up the same random addresses in it, one core each.
maxminddb takes one address at a time, which is its only interface: with its C extension if installed, and in pure Python.
Our reader flattens the whole database first, which is timed separately, and answers a batch of a million at once. Addresses
are in random order, and sorted as in the tables of a lake.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import maxminddb
import numpy as np
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from numpy.typing import NDArray

from pipeline.enrich import geo

NETWORKS = 100_000
CODES = ("GB", "DE", "US", "SG", "FR", "BR", "JP", "ZA")
THEIRS = 200_000
GOAL = 10_000_000


def database(folder: Path, size: int) -> Path:
    """An mmdb of random /20 networks, each in a country."""
    draw = np.random.default_rng(1)
    places = np.unique(draw.integers(1 << 12, 224 << 12, size))
    countries = draw.integers(0, len(CODES), len(places))
    writer = MMDBWriter(ip_version=4, database_type="benchmark")
    for number, code in enumerate(CODES):
        blocks = places[countries == number]
        writer.insert_network(
            IPSet([f"{IPv4Address(int(block) << 12)}/20" for block in blocks]), {"country": {"iso_code": code}}
        )
    writer.to_db_file(str(folder / "country.mmdb"))
    return folder / "country.mmdb"


def rate(work: Callable[[], object], size: int) -> float:
    """Addresses a second, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return size / best


def theirs(path: Path, ips: NDArray[np.uint32], mode: int) -> float:
    """Addresses a second of a maxminddb reader, one call each; addresses are text, as maxminddb needs them."""
    addresses = [IPv4Address(int(ip)) for ip in ips]
    with maxminddb.open_database(path, mode) as reader:
        return rate(lambda: [reader.get(ip) for ip in addresses], len(addresses))


def main() -> None:
    """Print the table; fail if the two sides differ on an address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", type=int, default=5)
    parser.add_argument("--networks", type=int, default=NETWORKS)
    parser.add_argument("--theirs", type=int, default=THEIRS, help="how many of the addresses maxminddb looks up")
    options = parser.parse_args()
    millions, some = options.million, options.theirs
    ips = np.random.default_rng(2).integers(0, 2**32, millions * 1_000_000, dtype=np.uint32)
    with tempfile.TemporaryDirectory() as folder:
        path = database(Path(folder), options.networks)
        begun = time.perf_counter()
        places = geo.load(path)
        flattened = time.perf_counter() - begun
        with maxminddb.open_database(path) as reader:
            expected = [geo.country_of(reader.get(IPv4Address(int(ip)))) for ip in ips[:some]]
        if places.countries(ips[:some]).to_pylist() != expected:
            raise SystemExit("the flattened table and maxminddb differ")
        ordered = np.sort(ips)
        rows = {
            "dicom-census, sorted": rate(lambda: places.partition.at(ordered), len(ips)),
            "dicom-census, random order": rate(lambda: places.partition.at(ips), len(ips)),
            "dicom-census, sorted, as text": rate(lambda: places.countries(ordered), len(ips)),
            "maxminddb, best mode": theirs(path, ips[:some], maxminddb.MODE_AUTO),
            "maxminddb, pure Python": theirs(path, ips[:some], maxminddb.MODE_MEMORY),
        }
    print(
        f"{len(places.partition.starts):,} ranges, flattened in {flattened:.1f} s; the same answer for {some:,} addresses"
    )
    print(f"{'':32}{'addresses/s':>14}  ours, sorted, is")
    for name, speed in rows.items():
        print(f"{name:32}{speed:14,.0f}  {rows['dicom-census, sorted'] / speed:8.1f}×")
    print(f"goal: {GOAL:,} a second on one core")


if __name__ == "__main__":
    main()
