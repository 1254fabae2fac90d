"""The far end of a pair: an XDP program there passes every frame on, drops it, or notes when a SYN came and drops it.

While there is one, a veth's driver takes frames from XDP programs; and to drop them so costs least. The interface counts them before.
"""

import mmap
import socket

import numpy as np
from numpy.typing import NDArray

from pipeline.bpf import kernel
from pipeline.bpf.assembler import R0, R1, R2, R3, R6, Assembler
from pipeline.bpf.constant import constant_program
from pipeline.bpf.kernel import Descriptor, Helper, MapType, ProgramType, XdpAction
from pipeline.guard import namespaces
from pipeline.wire.packet import ETHERNET, SYN

#: SYNs are counted in buckets of this many nanoseconds, for as many buckets: a minute.
BUCKET_NS, BUCKETS = 100_000, 600_000
#: Where in a frame TCP's flags are.
FLAGS = ETHERNET + 33


def attach(process: int, interface: str, action: XdpAction = XdpAction.PASS) -> Descriptor:
    """Attach such a program to an interface of a process's namespace, until what is returned is closed."""
    return attach_code(process, interface, constant_program(action))


class Arrivals:
    """Counts the SYNs that arrive at an interface of a process's namespace, by when they do, until it is closed."""

    def __init__(self, process: int, interface: str) -> None:
        shared = kernel.create_map(MapType.ARRAY, value=8 + 4 * BUCKETS, flags=kernel.MMAPABLE)
        self._memory = mmap.mmap(shared.fileno(), 8 + 4 * BUCKETS)
        self._link = attach_code(process, interface, _counting(shared))

    def counts(self) -> NDArray[np.uint32]:
        """How many came in each bucket, from the first SYN's to the last one's."""
        counts = np.frombuffer(self._memory, "<u4", BUCKETS, 8)
        return counts[: int(np.flatnonzero(counts).max(initial=0)) + 1].copy()

    def close(self) -> None:
        """End the counting."""
        self._link.close()


def attach_code(process: int, interface: str, code: bytes) -> Descriptor:
    """Attach a program of this code to an interface of a process's namespace, until what is returned is closed."""
    loaded = kernel.load(ProgramType.XDP, code, attached=True)
    return namespaces.inside(process, lambda: kernel.attach_xdp(loaded, socket.if_nametoindex(interface)))


def _counting(shared: Descriptor) -> bytes:
    """The program of `Arrivals`: the time of the first SYN in the first eight bytes, the buckets behind it."""
    program = Assembler()
    program.load(4, R2, R1, 4)
    program.load(4, R1, R1, 0)
    program.alu("mov", R3, R1)
    program.alu("add", R3, FLAGS + 1)
    program.jump("gt", R3, R2, "drop")
    program.load(1, R2, R1, FLAGS)
    program.jump("ne", R2, SYN, "drop")
    program.call(Helper.KTIME_GET_NS)
    program.map_value(R6, shared.fileno())
    program.load(8, R1, R6, 0)
    program.jump("ne", R1, 0, "later")
    program.alu("mov", R1, R0)
    program.store(8, R6, 0, R0)
    program.label("later")
    program.alu("sub", R0, R1)
    program.alu("div", R0, BUCKET_NS)
    program.jump("ge", R0, BUCKETS, "drop")
    program.alu("lsh", R0, 2)
    program.alu("add", R6, R0)
    program.load(4, R1, R6, 8)
    program.alu("add", R1, 1)
    program.store(4, R6, 8, R1)
    program.label("drop")
    program.alu("mov", R0, XdpAction.DROP.value)
    program.exit()
    return program.assemble()
