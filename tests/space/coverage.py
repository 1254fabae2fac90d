"""Exactly once, at full size: every allowed address on every port, even if ranges are stopped and run again.

`python -m tests.space.coverage` walks the whole IPv4 space minus the blocklist, on two ports, and sets a bit of a bitmap for
each (address, port): 512 MB a port and process. Ranges come in random order. Some are stopped at a random point and run again
whole, as a worker does; the targets that they emitted before do not count. At the end the number of bits must equal the number
of targets (so none was emitted twice), and the bits must be those of the allowed addresses (so all were emitted, and no other).
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.space import blocklist
from pipeline.space.permutation import Permutation
from pipeline.space.ranges import Ranges, Space
from pipeline.space.shard import Range, Walk

Bitmap = NDArray[np.uint8]
#: Two numbers for each process: its targets, and the abandoned ones.
Totals = Any

PORTS = (104, 11112)
#: Targets that the engine takes at a time.
BATCH = 8192
#: The share of ranges that are stopped midway.
STOPPED = 0.03
#: Bits of a byte, by their number.
BITS = np.left_shift(1, np.arange(8)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Emitted:
    """Targets of finished ranges, and of stopped ranges."""

    targets: int
    abandoned: int


def internet(shards: int, seed: int, ports: tuple[int, ...] = PORTS, range_targets: int = 1 << 22) -> Walk:
    """The walk of a plan over all addresses that are not on the blocklist."""
    never = Ranges.union_of([blocklist.special_purpose().ranges, blocklist.never_touch().ranges])
    space = Space.over(never.complement())
    return Walk(space, Permutation.seeded(space.count, seed), ports, space.count, shards, range_targets)


def blank(walk: Walk, size: int = 1 << 32) -> tuple[Bitmap, ...]:
    """An empty bitmap for each port."""
    return tuple(np.zeros(size // 8, dtype=np.uint8) for _ in walk.ports)


def walk_through(walk: Walk, ranges: list[Range], seed: int, bitmaps: tuple[Bitmap, ...]) -> Iterator[Emitted]:
    """Run ranges in random order, with stops; yield the counts after each range."""
    chance = np.random.default_rng(seed)
    waiting = [ranges[number] for number in chance.permutation(len(ranges))]
    targets = abandoned = 0
    stopped: set[str] = set()
    while waiting:
        range_ = waiting.pop()
        if range_.key not in stopped and chance.random() < STOPPED:
            stopped.add(range_.key)
            waiting.insert(int(chance.integers(len(waiting) + 1)), range_)
            reached = int(chance.integers(range_.length))
            abandoned += sum(len(addresses) for addresses, _ in batches(walk, range_, reached))
        else:
            for addresses, ports in batches(walk, range_, range_.length):
                mark(bitmaps, walk.ports, addresses, ports)
                targets += len(addresses)
        yield Emitted(targets, abandoned)


def batches(walk: Walk, range_: Range, length: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint16]]]:
    """The first `length` targets of a range, as the engine takes them."""
    for begin in range(range_.first_index, range_.first_index + length, BATCH):
        yield walk.targets(range_.shard, begin, min(begin + BATCH, range_.first_index + length))


def mark(
    bitmaps: tuple[Bitmap, ...], known: tuple[int, ...], addresses: NDArray[np.uint32], ports: NDArray[np.uint16]
) -> None:
    """Set the bit of each target; addresses of one bit position never share a byte, unless they are equal."""
    for bitmap, port in zip(bitmaps, known, strict=True):
        mine = addresses if (ports == port).all() else addresses[ports == port]
        position = mine & np.uint32(7)
        for bit in range(8):
            bitmap[mine[position == bit] >> np.uint32(3)] |= BITS[bit]


def allowed(space: Space, size: int = 1 << 32) -> Bitmap:
    """The bitmap that a whole sweep must leave."""
    bits = np.zeros(size // 8, dtype=np.uint8)
    for first, last in space.ranges.pairs():
        low, high = -(-first // 8), (last + 1) // 8  # whole bytes
        bits[low:high] = 255
        for address in (*range(first, min(low * 8, last + 1)), *range(max(high * 8, first), last + 1)):
            bits[address >> 3] |= BITS[address & 7]
    return bits


def count(bits: Bitmap) -> int:
    """The number of bits that are set."""
    return sum(int(np.bitwise_count(bits[at : at + (1 << 24)]).sum()) for at in range(0, len(bits), 1 << 24))


def faults(walk: Walk, bitmaps: tuple[Bitmap, ...], targets: int, size: int = 1 << 32) -> Iterator[str]:
    """Yield the faults of a walk; none if every target was emitted once."""
    planned = walk.addresses * len(walk.ports)
    if targets != planned:
        yield f"{targets:,} targets were emitted, the plan has {planned:,}"
    if (bits := sum(count(bitmap) for bitmap in bitmaps)) != targets:
        yield f"{targets:,} targets set {bits:,} bits: some came more than once"
    unwanted = ~allowed(walk.space, size)
    for bitmap, port in zip(bitmaps, walk.ports, strict=True):
        if forbidden := count(bitmap & unwanted):
            yield f"{forbidden:,} targets on port {port} are not of the plan"


def _part(walk: Walk, number: int, of: int, seed: int, names: list[str], totals: "Totals") -> None:
    """Walk every n-th range into shared bitmaps; the first process prints its progress on standard error."""
    memory = [SharedMemory(name) for name in names]
    bitmaps = tuple(np.ndarray(1 << 29, np.uint8, block.buf) for block in memory)
    ranges = [range_ for shard in range(walk.shards) for range_ in walk.ranges(shard)][number::of]
    whole, began, shown = sum(range_.length for range_ in ranges), time.monotonic(), 0.0
    state = Emitted(0, 0)
    for state in walk_through(walk, ranges, seed + number, bitmaps):
        now = time.monotonic()
        if number == 0 and now - shown > 10:
            shown, rate = now, state.targets / (now - began)
            done, left = state.targets / whole, (whole - state.targets) / max(rate, 1)
            print(f"{done:6.1%}  {of * rate / 1e6:.1f} M targets/s  ETA {left:.0f} s", file=sys.stderr, flush=True)
    totals[2 * number], totals[2 * number + 1] = state.targets, state.abandoned


def main() -> None:
    """Walk, and print the verdict; exit 1 if a target is missing, doubled or forbidden."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=61, help="61 divides nothing here; try 64")
    parser.add_argument("--seed", type=int, default=20260211)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    walk, began = internet(options.shards, options.seed), time.monotonic()
    fork = multiprocessing.get_context("fork")
    totals: Totals = fork.Array("q", 2 * options.processes, lock=False)
    memory = [[SharedMemory(create=True, size=1 << 29) for _ in PORTS] for _ in range(options.processes)]
    try:
        parts = [
            fork.Process(
                target=_part, args=(walk, n, options.processes, options.seed, [b.name for b in blocks], totals)
            )
            for n, blocks in enumerate(memory)
        ]
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        bitmaps = _joined(memory)
        problems = list(faults(walk, bitmaps, sum(totals[::2])))
        problems += ["a process failed"] if any(part.exitcode for part in parts) else []
        del bitmaps
    finally:
        for block in (block for blocks in memory for block in blocks):
            block.close()
            block.unlink()
    print(
        f"{walk.addresses:,} addresses × ports {PORTS}: {sum(totals[::2]):,} targets of finished ranges, {sum(totals[1::2]):,} "
        f"of ranges that were stopped and run again, {options.shards} shards, {time.monotonic() - began:.0f} s"
    )
    print("\n".join(problems) or "every allowed target once, no other one ever")
    sys.exit(bool(problems))


def _joined(memory: list[list[SharedMemory]]) -> tuple[Bitmap, ...]:
    """The union of all processes' bitmaps, by port."""
    first, *others = ([np.ndarray(1 << 29, np.uint8, block.buf) for block in blocks] for blocks in memory)
    for other in others:
        for mine, theirs in zip(first, other, strict=True):
            mine |= theirs
    return tuple(first)


if __name__ == "__main__":
    main()
