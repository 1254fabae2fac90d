"""A million silent hosts in the connection table at once: memory, and the lateness of their deadlines.

`python -m benchmarks.wheel [--hosts N] [--over SECONDS]`. Hosts are put into the table directly, some every 5 ms, as if each
had acknowledged our request and then sent nothing, since no machine greets a million within a deadline. At its deadline each
host gets A-ABORT and FIN. They leave through a ring into a closed pair of namespaces without listeners, so lateness includes the
kernel's time to send them. Memory is the growth of the largest resident set since before the first host.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.send import mac
from pipeline.guard import sockets
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.probe.clock import Clock
from pipeline.probe.greeting import PATIENCE_SECONDS, Greeter, SynAcks
from pipeline.probe.segments import SegmentSender
from pipeline.rings.packet_ring import segment_ring
from pipeline.space import address_list
from pipeline.testbed.closed import VANTAGE_ADDRESS, VANTAGE_MAC, WORLD_MAC, closed_pair, inside
from pipeline.wire.outgoing import class_uid, encode
from pipeline.wire.packet import ACK, SYN, Answers, Link

OUTGOING = encode(calling_ae="DICOM-CENSUS", class_uid=class_uid("https://census.example.org/"))
MEMORY_MB = 100
TICK_SECONDS = 0.005


def answers(first: int, count: int) -> Answers:
    """SYN-ACKs of hosts with consecutive addresses."""
    addresses, rows = np.arange(first, first + count, dtype=np.uint32), np.ones(count, dtype=np.uint16)
    flags = np.full(count, SYN | ACK, dtype=np.uint8)
    options, frame = np.zeros(count, dtype=np.uint64), np.arange(count)
    return Answers(
        addresses,
        rows * 104,
        rows * 20_000,
        addresses,
        addresses,
        flags,
        flags,
        rows * 64240,
        options,
        frame,
        rows,
        rows,
    )


def greeter() -> tuple[Greeter, SegmentSender]:
    """A greeter that sends into the pair, and its rings."""
    link = Link(mac(VANTAGE_MAC), mac(WORLD_MAC), address_list.parse(VANTAGE_ADDRESS, "here")[0])

    def talk(*_: int) -> None:
        raise AssertionError("no host sends anything here")

    sender = SegmentSender(segment_ring(sockets.packet_socket("vantage0", 0)), link, OUTGOING)
    return Greeter(sender, OUTGOING, talk), sender  # type: ignore[arg-type]


def load(hosts: int, over: float) -> None:
    """Load the hosts, wait until each is settled, and print time and memory."""
    (greeting, sender), late, most, loaded, settled = greeter(), [], 0, 0, 0
    resident, began = resident_mb(), time.monotonic()
    while settled < hosts:
        now = time.monotonic()
        due = min(hosts, 1 + int(hosts * (now - began) / over)) - loaded
        if due:
            position = np.arange(loaded, loaded + due)
            clock = Clock(now, time.time_ns() // 1000)
            hosts_now = answers(11 << 24 | loaded, due)
            slots = greeting.admit(SynAcks(hosts_now, 1, position, np.ones(due, np.uint32), clock))
            greeting.connections.rows["acked"][slots] = len(OUTGOING.request)
            loaded += due
        most = max(most, len(greeting.connections))
        ended = list(greeting.tick(Clock(time.monotonic(), 0)))
        sender.flush()
        for result in ended:
            settled += result.hosts
            deadline = result.rows["began_us"] / 1e6 + PATIENCE_SECONDS
            late.append(((time.monotonic() - deadline) * 1000).astype(np.float32))
        time.sleep(max(0.0, now + TICK_SECONDS - time.monotonic()))
    used = resident_mb() - resident
    print(f"{most:,} of {hosts:,} in the table at once, {settled:,} settled at their deadline")
    print(f"{used:.0f} MB of {MEMORY_MB}: {used * 2**20 / most:.0f} bytes a host")
    median, last, worst = np.percentile(np.concatenate(late), [50, 99.9, 100])
    print(f"deadlines late by {median:.1f} ms (median), {last:.1f} ms (99.9 %), {worst:.1f} ms (worst)")


def resident_mb() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print time and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000_000)
    parser.add_argument("--over", type=float, default=2.8)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        load(given.hosts, given.over)
        return
    with tempfile.TemporaryDirectory() as folder, closed_pair() as pair:
        manifest = Path(folder) / "manifest.json"
        manifest.write_bytes(msgspec.json.encode(pair.manifest))
        here = [sys.executable, "-m", "benchmarks.wheel", "--load"]
        options = ["--hosts", str(given.hosts), "--over", str(given.over)]
        environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
        subprocess.run([*inside(pair.vantage), *here, *options], check=True, env=environment)


if __name__ == "__main__":
    main()
