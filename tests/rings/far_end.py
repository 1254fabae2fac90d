"""The far end of a pair, made to take live frames: a veth's driver does while its other end has an XDP program, or GRO.

`python -m tests.rings.far_end COMMAND…` in a testbed does that to the world's end while it runs a command.
"""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.far_end import attach
from pipeline.bpf import kernel
from pipeline.guard.proof import TESTBED, Manifest
from pipeline.testbed.closed import NamespacePair

__all__ = ["attach", "next_program", "wait_for_carrier"]
PROG_GET_NEXT_ID = 11  # linux/bpf.h


def wait_for_carrier(pair: NamespacePair) -> None:
    """Wait until frames can pass the pair."""
    carrier = Path(f"/proc/{pair.vantage}/root/sys/class/net/vantage0/carrier")
    until = time.monotonic() + 5
    while carrier.read_text().strip() != "1" and time.monotonic() < until:
        time.sleep(0.01)


def next_program(after: int) -> int | None:
    """The id of the next program that the kernel has; None after the last."""
    try:
        answer = kernel._call(PROG_GET_NEXT_ID, struct.pack("<II4x", after, 0))
    except FileNotFoundError:
        return None
    return int(struct.unpack_from("<4xI", answer)[0])


def main() -> None:
    """Attach a program to the world's end of this testbed's pair, and run the command."""
    manifest = msgspec.json.decode(Path(os.environ[TESTBED]).read_bytes(), type=Manifest)
    world = next(end.namespace for end in manifest.ends if end.name == "world0")
    holder = next(holder.pid for holder in manifest.holders if holder.namespace == world)
    link = attach(holder, "world0")
    code = subprocess.run(sys.argv[1:], check=False).returncode
    link.close()
    sys.exit(code)


if __name__ == "__main__":
    main()
