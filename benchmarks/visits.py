"""Full visits (connect, associate, C-ECHO, release) per second by our client and by other clients, to one fast local peer.

`python -m benchmarks.visits [--visits N]`. A visit counts only if it was echoed and released. CPU time is the client's, user
and system, with threads and child processes; the peer runs in its own processes. The bare epoll loop connects, sends,
receives and closes without evaluation: this loop is the machine's limit for a client in Python.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from multiprocessing.pool import Pool
from typing import NamedTuple

import pynetdicom
from pynetdicom.sop_class import Verification

from benchmarks import bare, peer
from pipeline.associate import client, loop
from pipeline.guard import sockets
from pipeline.outcome import Outcome
from pipeline.wire.outgoing import class_uid, encode

LOOPBACK = int(IPv4Address("127.0.0.1"))
OUTGOING = encode(calling_ae="DICOM-CENSUS", class_uid=class_uid("https://census.example.org/"))
#: Conversations that are open at once.
AT_ONCE = 50
THREADS = 20
#: Processes of our client, as with `[associate] processes = 2`.
PROCESSES = 2
#: Makes a number of visits to a port; returns the number of successful visits.
Client = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one client."""

    name: str
    visits: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Visits per second."""
        return self.visits / self.seconds


def ours(port: int, visits: int) -> int:
    """This project's client, in one process."""

    async def visit_many(numbers: Iterator[int]) -> int:
        succeeded = 0
        for _ in numbers:
            record = await client.visit(sockets.tcp_socket, OUTGOING, echo=True, ip=LOOPBACK, port=port)
            succeeded += record.outcome is Outcome.ECHOED and record.released
        return succeeded

    async def all_of_them() -> int:
        numbers = iter(range(visits))
        return sum(await asyncio.gather(*(visit_many(numbers) for _ in range(AT_ONCE))))

    return loop.run(all_of_them())


def limit(port: int, visits: int) -> int:
    """A bare epoll loop without evaluation: the limit that kernel and peer set for any client in Python."""
    return bare.visits(OUTGOING, port, visits, AT_ONCE)


def threads(port: int, visits: int) -> int:
    """pynetdicom's `AE.associate` in a thread pool, as its documentation shows it."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    entity = pynetdicom.AE(ae_title="DICOM-CENSUS")
    entity.add_requested_context(Verification)

    def one(_: int) -> bool:
        association = entity.associate("127.0.0.1", port, ae_title="ANY-SCP")
        if not association.is_established:
            return False
        status = association.send_c_echo()
        association.release()
        return bool(status) and status.Status == 0

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(one, range(visits)))


def processes(command: list[str]) -> Client:
    """Make a client that runs one process per visit, with as many processes at once as there are cores."""

    def run(port: int, visits: int) -> int:
        def one(_: int) -> bool:
            words = [word.format(port=port) for word in command]
            completed = subprocess.run(words, capture_output=True, text=True, check=False)
            return completed.returncode == 0 and ("+dicom-ping" not in command or "dicom-ping" in completed.stdout)

        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            return sum(pool.map(one, range(visits)))

    return run


ECHOSCU = ["echoscu", "-aet", "DICOM-CENSUS", "-aec", "ANY-SCP", "127.0.0.1", "{port}"]
NMAP = ["nmap", "-n", "-Pn", "-sT", "-p", "{port}", "--script", "+dicom-ping"]
NMAP.append("127.0.0.1")


class Row(NamedTuple):
    """A client, its number of processes, and its share of the visits: slow clients make fewer visits."""

    client: Client
    processes: int
    share: float


CLIENTS = {
    "dicom-census, 2 processes": Row(ours, PROCESSES, 2.0),
    "dicom-census, 1 process": Row(ours, 1, 1.0),
    "bare epoll loop, 2 processes": Row(limit, PROCESSES, 2.0),
    "bare epoll loop, 1 process": Row(limit, 1, 1.0),
    "pynetdicom AE.associate, 20 threads": Row(threads, 1, 0.1),
    "DCMTK echoscu, a process each": Row(processes(ECHOSCU), 1, 0.05),
    "nmap dicom-ping, a process each": Row(processes(NMAP), 1, 0.01),
}


def cpu() -> float:
    """CPU seconds so far of this process and of its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def run_client(client: Client, port: int, visits: int) -> tuple[int, float]:
    """Run a client in this process; return the number of successful visits, and their CPU seconds."""
    before = cpu()
    return client(port, visits), cpu() - before


def measure(pool: Pool, name: str, port: int, visits: int) -> Result:
    """Run one client."""
    row = CLIENTS[name]
    visits_each = max(4, round(visits * row.share / row.processes))
    work = [(row.client, port, visits_each)] * row.processes
    started = time.perf_counter()
    parts = pool.starmap(run_client, work, chunksize=1) if row.processes > 1 else [run_client(*work[0])]
    seconds = time.perf_counter() - started
    succeeded = sum(part[0] for part in parts)
    if succeeded != visits_each * row.processes:
        raise SystemExit(f"{name}: {succeeded} of {visits_each * row.processes} visits succeeded")
    return Result(name, succeeded, seconds, sum(part[1] for part in parts))


@contextmanager
def ready_pool() -> Iterator[Pool]:
    """Processes that have started and imported their modules, as a sweep starts its own processes only once."""
    context = multiprocessing.get_context("spawn")
    all_there = context.Barrier(PROCESSES + 1)
    with context.Pool(PROCESSES, initializer=all_there.wait) as pool:
        all_there.wait()
        yield pool


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=5000)
    visits = parser.parse_args().visits
    available = [name for name in CLIENTS if not name.startswith("nmap") or shutil.which("nmap")]
    if len(available) < len(CLIENTS):
        print("nmap is not installed: its line is missing (apt-get install nmap)")
    with ready_pool() as pool, peer.running("echo") as port:
        results = [measure(pool, name, port, visits) for name in available]
    print(f"{'client':<38}{'visits/s':>10}{'CPU ms/visit':>14}{'ours is':>10}")
    for result in results:
        ratio = results[0].rate / result.rate
        print(f"{result.name:<38}{result.rate:>10,.0f}{1e3 * result.cpu / result.visits:>14.3f}{ratio:>9.1f}×")


if __name__ == "__main__":
    main()
