"""The table of open connections: one row each, found by address, port and the visitor's port."""

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
        ("fin_sent", "?"),
        ("distance", "u1"),  # index in the internet's delays
        ("variant", "u4"),
        ("generation", "u4"),  # how often the slot has been used: events of an earlier generation are void
        ("next", "u4"),  # the visitor's next sequence number
        ("first", "u4"),  # sequence number of our first byte
        ("sent", "u4"),  # bytes sent, with the FIN counted as one
        ("acked", "u4"),
    ]
)
FIRST_SLOTS = 4096


def keys(addresses: U32, ports: NDArray[np.uint16], clients: NDArray[np.uint16]) -> Keys:
    """One key for each connection; all of shape (n,)."""
    key = addresses.astype(np.uint64) << np.uint64(32)
    key |= ports.astype(np.uint64) << np.uint64(16)
    key |= clients.astype(np.uint64)
    return key


@dataclass(slots=True)
class SimulatedConnections:
    """The rows, an index of them, and the free slots."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(FIRST_SLOTS, dtype=CONNECTION))
    _slots: dict[int, int] = field(default_factory=dict)
    _free: list[int] = field(default_factory=lambda: list(range(FIRST_SLOTS)))

    def find(self, connection_keys: Keys) -> Slots:
        """The slots of connections; NONE for those that are not open."""
        find = self._slots.get
        return np.array([find(key, NONE) for key in connection_keys.tolist()], dtype=np.int64)

    def open(self, connection_keys: Keys) -> Slots:
        """Slots for new connections, whose keys are distinct; an open connection with the same key is replaced."""
        while len(self._free) < len(connection_keys):
            before = len(self.rows)
            self.rows = np.concatenate((self.rows, np.zeros(before, dtype=CONNECTION)))
            self._free.extend(range(before, 2 * before))
        slots = self.find(connection_keys)
        new = np.flatnonzero(slots == NONE)
        slots[new] = [self._free.pop() for _ in range(len(new))]
        self._slots.update(zip(connection_keys[new].tolist(), slots[new].tolist(), strict=True))
        generation = self.rows["generation"][slots] + 1
        self.rows[slots] = np.zeros(1, dtype=CONNECTION)
        self.rows["generation"][slots] = generation
        return slots

    def forget(self, slots: Slots) -> None:
        """Free slots."""
        rows = self.rows[slots]
        for key in keys(rows["address"], rows["port"], rows["client"]).tolist():
            slot = self._slots.pop(key, None)
            if slot is not None:
                self._free.append(slot)
        self.rows["generation"][slots] += 1

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._slots)
