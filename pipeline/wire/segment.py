"""Segments of our own TCP connections as numpy views: acknowledgements, requests, ends (RFC 9293 §3.1).

No segment here carries options, and none anything but one whole template: whoever makes a `Kind` asks the whitelist.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.packet import ETHERNET, FRAME, TCP, TTL, WINDOW, Link, checksum, halves, words

#: Ethernet, IPv4 and TCP headers without options: the first fields of a probe's frame.
HEADER = np.dtype([(name, FRAME.fields[name][0]) for name in FRAME.names if name != "options"])  # type: ignore[index,union-attr]


@dataclass(frozen=True, slots=True)
class Kind:
    """Segments that differ in nothing but who gets them and where in the stream: a frame, and its constant sums."""

    flags: int
    payload: bytes
    frame: bytes
    ip: int
    tcp: int
    played: bool

    @classmethod
    def of(
        cls,
        link: Link,
        flags: int,
        payload: bytes = b"",
        *,
        window: int = WINDOW,
        options: bytes = b"",
        played: bool = False,
    ) -> "Kind":
        """Prepare segments with these flags and bytes. Those of a played host go the other way: to `link.source`, from anywhere."""
        size = HEADER.itemsize - ETHERNET + len(options) + len(payload)
        ends = (0, link.source) if played else (link.source, 0)
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, size, 0, 0x4000, TTL, TCP, 0, *ends)
        tcp = struct.pack(">HHIIBBHHH", 0, 0, 0, 0, 5 + len(options) // 4 << 4, flags, window, 0, 0)
        pseudo = ip[12:20] + struct.pack(">BBH", 0, TCP, size - 20)
        frame = link.gateway_mac + link.source_mac + b"\x08\x00" + ip + tcp + options + payload
        padded = options + payload + bytes(len(payload) % 2)
        return cls(flags, payload, frame, words(ip), words(pseudo) + words(tcp) + words(padded), played)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where segments go, and where in their streams they stand; all of shape (n,)."""

    address: NDArray[np.uint32]
    port: NDArray[np.uint16]
    our_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]
    """Of the first byte of ours."""
    acknowledgement: NDArray[np.uint32]
    """What we expect of the peer next."""

    def take(self, chosen: NDArray[np.bool_] | slice) -> "Endpoints":
        """Those that are chosen."""
        return Endpoints(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @classmethod
    def of_all(cls, parts: Sequence["Endpoints"]) -> "Endpoints":
        """Those of all parts, one after another."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def fill(
    frames: NDArray[np.uint8],
    kinds: Sequence[Kind],
    which: NDArray[np.int64],
    places: Endpoints,
    ids: NDArray[np.uint16],
) -> None:
    """Write segments into rows of at least as many bytes as theirs; shape (n, bytes).

    `which` tells the place of each one's kind, in ascending order; either all kinds are played or none.
    """
    begins = np.searchsorted(which, np.arange(len(kinds) + 1)).tolist()
    for kind, (begin, end) in zip(kinds, pairwise(begins), strict=True):
        frames[begin:end, : len(kind.frame)] = np.frombuffer(kind.frame, dtype=np.uint8)
    header = frames[:, : HEADER.itemsize].view(HEADER)[:, 0]
    here, there = ("destination", "source") if kinds[0].played else ("source", "destination")
    header[there] = places.address
    header[f"{here}_port"] = places.our_port
    header[f"{there}_port"] = places.port
    header["sequence"] = places.sequence
    header["acknowledgement"] = places.acknowledgement
    header["id"] = ids
    where = halves(places.address)
    varying = where + halves(places.sequence) + halves(places.acknowledgement) + places.port + places.our_port
    constant = np.array([(kind.ip, kind.tcp) for kind in kinds], dtype=np.uint32)[which]
    header["ip_checksum"] = checksum(where + ids + constant[:, 0])
    header["tcp_checksum"] = checksum(varying + constant[:, 1])
