"""Ten thousand peers that accept a connection and send nothing: memory, and the lateness of their deadlines.

`python -m benchmarks.silent [--peers N] [--over SECONDS]`. The visits begin over two seconds, in steps of 10 ms, so that all are
open at once before the first deadline (`--over 0` begins all in one instant). The peers' sockets are in processes of
their own; memory is the client's largest resident set, with Python, uvloop and OpenSSL, and its resident set before the visits.
"""

import argparse
import asyncio
import resource
import time
from ipaddress import IPv4Address

import numpy as np

from benchmarks import peer
from pipeline.associate import client, loop
from pipeline.associate.conversation import ANSWER_US
from pipeline.guard import sockets
from pipeline.outcome import Outcome
from pipeline.record.visit import Visit
from pipeline.wire.outgoing import class_uid, encode

LOOPBACK = int(IPv4Address("127.0.0.1"))
OUTGOING = encode(calling_ae="DICOM-CENSUS", class_uid=class_uid("https://census.example.org/"))
#: How late a deadline may be met, and how much memory the process may take.
LATE_MS, MEMORY_MB = 100, 400


def visit_all(port: int, peers: int, over: float) -> tuple[list[Visit], int]:
    """Visit the peers; return the visits, and how many were open at once."""

    async def all_of_them() -> tuple[list[Visit], int]:
        tasks: list[asyncio.Task[Visit]] = []
        began = time.monotonic()
        while len(tasks) < peers:
            due = peers if not over else min(peers, 1 + int(peers * (time.monotonic() - began) / over))
            tasks += [asyncio.create_task(visit(port)) for _ in range(due - len(tasks))]
            await asyncio.sleep(0.01)
        at_once = sum(not task.done() for task in tasks)
        return await asyncio.gather(*tasks), at_once

    return loop.run(all_of_them())


async def visit(port: int) -> Visit:
    """One visit."""
    return await client.visit(sockets.tcp_socket, OUTGOING, echo=True, ip=LOOPBACK, port=port)


def resident_mb() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print memory and lateness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=int, default=10_000)
    parser.add_argument("--over", type=float, default=2.0)
    given = parser.parse_args()
    peers = given.peers
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    before = resident_mb()
    with peer.running("silent") as port:
        visits, at_once = visit_all(port, peers, given.over)
    silent = sum(visit.outcome is Outcome.SILENT for visit in visits)
    late = np.array([visit.closed_us - (visit.request_us or 0) - ANSWER_US for visit in visits]) / 1000
    print(f"{silent} of {peers} silent, {at_once} open at once")
    print(f"largest resident set {resident_mb():.0f} MB of {MEMORY_MB}, {before:.0f} MB before the visits")
    median, last, worst = np.percentile(late, [50, 99.9, 100])
    print(f"deadlines late by {median:.1f} ms (median), {last:.1f} ms (99.9 %), {worst:.1f} ms (worst) of {LATE_MS}")


if __name__ == "__main__":
    main()
