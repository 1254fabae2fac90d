"""The cost of a sweep of the whole IPv4 Internet, on paper: `python -m benchmarks.scale` prints docs/scale.md's tables.

Arithmetic, not measurement: `MEASURED` are figures of docs/benchmarks.md, `ASSUMED` are assumptions about the Internet.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.engines import Engine
from pipeline.plan.freezing import RANGE_SECONDS
from pipeline.space import blocklist
from pipeline.space.ranges import Ranges
from pipeline.wire.packet import FRAME
from pipeline.worker.engine_choice import CANDIDATES

#: Preamble, frame check and gap of an Ethernet frame (IEEE 802.3), in addition to its bytes.
ETHERNET_BYTES = 24
#: Printed figures of `benchmarks.send`, `greetings`, `wheel` and `bytes`, and the size of a receipt of a sweep of the testbed.
MEASURED = {
    "engine µs a greeting": 16.4,
    "other µs a greeting": 0.3 + 0.3 + 0.4,
    "bytes a silent host in the wheel": 86,
    "bytes a response row": 9.313,
    "bytes an association row": 89.347,
    "bytes a receipt": 1_809,
}
#: Probes a second of one sender of each engine, by `benchmarks.send`.
SENDER = {Engine.XDP: 920_452, Engine.XDP_LIVE: 5_195_752}
ASSUMED = {"answers on a port": 20_000_000, "associations on a port": 15_000, "second SYNs": 0.01, "control SYNs": 0.01}
#: Seconds until a silent host is dropped (`probe.greeting`), and from the last SYN of a range to its end, with second SYNs.
SILENT_SECONDS, COOLDOWN_SECONDS = 3.0, 8.0 + 3.0
#: Bytes that the engine needs for a target of an open range, and for its rings (`probe.range_state`, `rings`).
TARGET_BYTES, RING_BYTES = 4 + 4 + 1, (16384 * (128 + 2048)) + 4096 * 2048
SHARDS = 512
#: How many SYNs a second fill a line of 1 Gbit/s.
GIGABIT = int(1e9 / 8 / (FRAME.itemsize + ETHERNET_BYTES))
RATES = (10_000, 100_000, GIGABIT, 10 * GIGABIT)
SETTINGS = tuple((ports, vantages) for ports in (1, 6) for vantages in (1, 5))


@dataclass(frozen=True, slots=True)
class SweepSize:
    """A sweep of every address on a number of ports. Its vantages share the shards and each send at `rate` probes a second."""

    addresses: int
    ports: int
    vantages: int
    rate: int

    @property
    def targets(self) -> int:
        """Addresses times ports."""
        return self.addresses * self.ports

    @property
    def hours(self) -> float:
        """The hours of sending."""
        extra = self.targets * ASSUMED["second SYNs"] + self.addresses * ASSUMED["control SYNs"]
        return (self.targets + extra) / (self.rate * self.vantages) / 3600

    @property
    def megabits(self) -> float:
        """Bits a second of SYNs that leave each vantage, in millions, on Ethernet."""
        return self.rate * (FRAME.itemsize + ETHERNET_BYTES) * 8 / 1e6

    @property
    def greetings(self) -> float:
        """Greetings a second of each vantage."""
        return self.rate * ASSUMED["answers on a port"] / self.addresses

    @property
    def engine(self) -> Engine:
        """The engine that `auto` takes for this rate where kernel and driver allow every one."""
        return next(row.engine for row in CANDIDATES if self.rate >= row.worth_it)

    @property
    def cores(self) -> float:
        """Processors that each vantage needs, counting only the measured costs."""
        greeting = MEASURED["engine µs a greeting"] + MEASURED["other µs a greeting"]
        return self.rate / SENDER[self.engine] + self.greetings * greeting / 1e6

    @property
    def ranges(self) -> int:
        """The least number of ranges, and so of receipts: each shard has the same number."""
        return SHARDS * math.ceil(self.targets / SHARDS / (self.rate * RANGE_SECONDS))

    @property
    def memory(self) -> float:
        """Bytes that each vantage needs for rings, open ranges and silent hosts."""
        senders = math.ceil(self.rate / SENDER[self.engine])
        open_ranges = 1 + math.ceil(COOLDOWN_SECONDS / RANGE_SECONDS)
        targets = open_ranges * self.rate * RANGE_SECONDS * TARGET_BYTES
        silent = self.greetings * SILENT_SECONDS * MEASURED["bytes a silent host in the wheel"]
        return senders * RING_BYTES + targets + silent

    @property
    def stored(self) -> float:
        """Bytes of the sealed lake."""
        rows = ASSUMED["answers on a port"] * MEASURED["bytes a response row"]
        rows += ASSUMED["associations on a port"] * MEASURED["bytes an association row"]
        return self.ports * rows

    @property
    def receipts(self) -> float:
        """Bytes of receipts until the seal."""
        return self.ranges * MEASURED["bytes a receipt"]


def addresses() -> int:
    """The number of addresses that a sweep without exclusions visits."""
    never = Ranges.union_of([blocklist.special_purpose().ranges, blocklist.never_touch().ranges])
    return 2**32 - never.count


def lines() -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{addresses():,} addresses, {SHARDS} shards"
    yield "ports vantages    probes/s engine      hours   Mbit/s  greetings/s  cores  memory MB   ranges  receipts MB  sealed MB"
    for ports, vantages in SETTINGS:
        for rate in RATES:
            size = SweepSize(addresses(), ports, vantages, rate)
            yield (
                f"{ports:5} {vantages:8} {rate:11,} {size.engine:8} {size.hours:10,.2f} {size.megabits:8,.1f} {size.greetings:12,.0f} "
                f"{size.cores:6.2f} {size.memory / 1e6:10,.0f} {size.ranges:8,} {size.receipts / 1e6:12,.1f} "
                f"{size.stored / 1e6:10,.0f}"
            )


if __name__ == "__main__":
    print("\n".join(lines()))
