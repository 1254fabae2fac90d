"""What is kept of connections that are open: a row each, found by the three numbers that tell them apart."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.space.ranges import U32

Slots = NDArray[np.int64]
Keys = NDArray[np.uint64]
NONE = -1

CONNECTION = np.dtype(
    [
        ("address", "u4"),
        ("port", "u2"),
        ("client", "u2"),  # the visitor's port
        ("behaviour", "i1"),
        ("persistent", "?"),
        ("established", "?"),
        ("closed", "?"),  # by a reset, or because both have sent a FIN
        ("ended", "?"),  # we have sent a FIN
        ("distance", "u1"),  # place in the internet's delays
        ("draw", "u4"),
        ("life", "u4"),  # how often the slot was taken: events of an earlier life are void
        ("next", "u4"),  # what we expect of the visitor
        ("first", "u4"),  # sequence number of our first byte
        ("sent", "u4"),  # bytes of ours, the FIN counted as one
        ("acked", "u4"),
    ]
)
FIRST_SLOTS = 4096


def keys(addresses: U32, ports: NDArray[np.uint16], clients: NDArray[np.uint16]) -> Keys:
    """One number for each connection; all of shape (n,)."""
    key = addresses.astype(np.uint64) << np.uint64(32)
    key |= ports.astype(np.uint64) << np.uint64(16)
    key |= clients.astype(np.uint64)
    return key


@dataclass(slots=True)
class PeerConnections:
    """The rows, where each is, and which are free."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(FIRST_SLOTS, dtype=CONNECTION))
    _place: dict[int, int] = field(default_factory=dict)
    _free: list[int] = field(default_factory=lambda: list(range(FIRST_SLOTS)))

    def find(self, wanted: Keys) -> Slots:
        """The slots of connections, NONE where there is none."""
        find = self._place.get
        return np.array([find(key, NONE) for key in wanted.tolist()], dtype=np.int64)

    def open(self, wanted: Keys) -> Slots:
        """Slots for connections that begin now, each given once; one that is there already begins its next life."""
        while len(self._free) < len(wanted):
            before = len(self.rows)
            self.rows = np.concatenate((self.rows, np.zeros(before, dtype=CONNECTION)))
            self._free.extend(range(before, 2 * before))
        slots = self.find(wanted)
        new = np.flatnonzero(slots == NONE)
        slots[new] = [self._free.pop() for _ in range(len(new))]
        self._place.update(zip(wanted[new].tolist(), slots[new].tolist(), strict=True))
        life = self.rows["life"][slots] + 1
        self.rows[slots] = np.zeros(1, dtype=CONNECTION)
        self.rows["life"][slots] = life
        return slots

    def forget(self, slots: Slots) -> None:
        """Give slots back."""
        rows = self.rows[slots]
        for key in keys(rows["address"], rows["port"], rows["client"]).tolist():
            slot = self._place.pop(key, None)
            if slot is not None:
                self._free.append(slot)
        self.rows["life"][slots] += 1

    def __len__(self) -> int:
        """How many are open."""
        return len(self._place)
