"""The memory that the programs of engine `xdp-live` share with us: the state of a call, and the records of its probes."""

import mmap
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.cookie import Secret

#: Records in the shared memory, a power of two.
RECORDS = 8192
#: What is shared besides the records. The first block is for the programs alone; then what each call is to do.
STATE = np.dtype(
    [
        ("next", "<u8"),  # the record that is taken next
        ("count", "<u8"),  # where to stop
        ("settled", "<u8"),  # the first record that the driver has not decided about
        ("taken", "<u8"),  # frames that the driver has ever taken
        ("refusals", "<u8"),  # entries of the table of refusals
        ("failed", "<u8"),  # frames that could not be queued
        ("error", "<i8"),  # why, a negative errno
        ("thread", "<u8"),  # the thread that calls
        ("k0", "<u4"),
        ("k1", "<u4"),
        ("step", "<u4"),  # what sequence numbers are more than the tag
        ("shift", "<u4"),  # a tag's bits that are no part of the source port
        ("turn", "<u4"),
        ("mask", "<u4"),
        ("first", "<u4"),
        ("ip_sum", "<u4"),
        ("tcp_sum", "<u4"),
        ("seed", "<u4"),  # of IP ids
    ]
)
#: How a call has gone so far: the first fields of STATE.
PROGRESS = struct.Struct("<6Qq")
#: Frames that the driver refused: the record after the last of them, and how many.
REFUSAL = np.dtype([("end", "<u4"), ("drops", "<u4")])
PAGE = mmap.PAGESIZE
#: What each record has, and the table of refusals, as long as there are records.
COLUMNS: dict[str, np.dtype[Any]] = {
    "address": np.dtype("<u4"), "tag": np.dtype("<u4"), "port": np.dtype("<u2"), "refusal": REFUSAL,
}  # fmt: skip


class CallProgress(NamedTuple):
    """How a call has gone so far: the first fields of STATE, in their order."""

    next: int = 0
    wanted: int = 0
    settled: int = 0
    taken: int = 0
    refusals: int = 0
    failed: int = 0
    error: int = 0

    @classmethod
    def of(cls, memory: mmap.mmap) -> "CallProgress":
        """Read it."""
        return cls._make(PROGRESS.unpack_from(memory))

    def write(self, memory: mmap.mmap) -> None:
        """Write it, while no call is under way."""
        PROGRESS.pack_into(memory, 0, *self)


class Layout(NamedTuple):
    """Where each column of the records begins in the shared memory, and the size of it all."""

    address: int
    tag: int
    port: int
    refusal: int
    size: int

    @classmethod
    def plan(cls) -> "Layout":
        """Lay the columns one after another, each from a new page on."""
        at, offsets = PAGE, []
        for kind in COLUMNS.values():
            offsets.append(at)
            at += -(-RECORDS * kind.itemsize // PAGE) * PAGE
        return cls._make([*offsets, at])

    def column(self, memory: mmap.mmap, name: str) -> NDArray[Any]:
        """A column as an array."""
        return np.frombuffer(memory, COLUMNS[name], RECORDS, getattr(self, name))


LAYOUT = Layout.plan()


def note_secret(state: NDArray[np.void], secret: Secret) -> None:
    """Have the program make the cookies of a secret from now on; `state` is of type STATE."""
    ours = secret.ports
    state["k0"], state["k1"], state["step"] = secret.k0, secret.k1, secret.step
    state["shift"], state["turn"], state["mask"], state["first"] = (
        32 - ours.bits,
        ours.turn,
        (1 << ours.bits) - 1,
        ours.first,
    )


def place(structure: np.dtype[np.void], name: str) -> tuple[int, int]:
    """The size and offset of a field."""
    fields: Any = structure.fields
    kind, offset = fields[name][:2]
    return kind.itemsize, offset
