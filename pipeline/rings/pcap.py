"""Capture files in the classic pcap format (draft-ietf-opsawg-pcap), in the machine's byte order; times in microseconds."""

import struct
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

#: LINKTYPE_ETHERNET and LINKTYPE_RAW (an IP packet without a link header) of that draft's registry.
ETHERNET, RAW = 1, 101
LONGEST = 65535
MAGIC = 0xA1B2C3D4


class Capture:
    """A file to which packets are added; use it as a context manager."""

    def __init__(self, path: Path, link_type: int) -> None:
        self._file = path.open("wb", buffering=1 << 20)
        # Magic number, version 2.4, time zone, accuracy, longest packet, link type.
        self._file.write(struct.pack("=IHHiIII", MAGIC, 2, 4, 0, 0, LONGEST, link_type))
        self.written = 0

    def add(self, packets: Iterable[bytes]) -> None:
        """Write packets, with the present time."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        for packet in packets:
            size = len(packet)
            self._file.write(struct.pack("=IIII", seconds, nanoseconds // 1000, size, size) + packet)
            self.written += 1

    def __enter__(self) -> "Capture":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
