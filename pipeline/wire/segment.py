"""Segments of our own TCP connections as numpy views: acknowledgements, requests, ends (RFC 9293 §3.1).

Segments of ours have no options, and no payload but one whole template: the caller of `Kind.of` checks it against the whitelist
(`wire.outgoing`). A *played* segment is one of a simulated host's in a testbed.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.packet import PACKET, TCP, TTL, WINDOW, Link, checksum, halves, words

#: IPv4 and TCP headers without options: the first fields of a probe's packet.
HEADER = np.dtype([(name, PACKET.fields[name][0]) for name in PACKET.names if name != "options"])  # type: ignore[index,union-attr]


@dataclass(frozen=True, slots=True)
class Kind:
    """Segments that differ only in their endpoints: their common frame, and the constant part of its checksums."""

    flags: int
    payload: bytes
    frame: bytes
    ip: int
    tcp: int
    played: bool
    begin: int
    """Where in the frame the IP header begins."""

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
        """Prepare segments with these flags and bytes. Played ones go the other way: to `link.source`, from anywhere."""
        size = HEADER.itemsize + len(options) + len(payload)
        ends = (0, link.source) if played else (link.source, 0)
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, size, 0, 0x4000, TTL, TCP, 0, *ends)
        tcp = struct.pack(">HHIIBBHHH", 0, 0, 0, 0, 5 + len(options) // 4 << 4, flags, window, 0, 0)
        pseudo = ip[12:20] + struct.pack(">BBH", 0, TCP, size - 20)
        frame = link.header + ip + tcp + options + payload
        padded = options + payload + bytes(len(payload) % 2)
        constant = words(pseudo) + words(tcp) + words(padded)
        return cls(flags, payload, frame, words(ip), constant, played, len(link.header))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where segments go, and their places in both streams; all of shape (n,)."""

    address: NDArray[np.uint32]
    port: NDArray[np.uint16]
    our_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]
    """Of our first byte."""
    acknowledgement: NDArray[np.uint32]
    """The peer's byte that we expect next."""

    def take(self, which: NDArray[np.bool_] | slice) -> "Endpoints":
        """The endpoints of a slice, or those that a mask keeps."""
        return Endpoints(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    @classmethod
    def of_all(cls, parts: Sequence["Endpoints"]) -> "Endpoints":
        """The endpoints of all parts, one after another."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def fill(
    frames: NDArray[np.uint8],
    kinds: Sequence[Kind],
    which: NDArray[np.int64],
    endpoints: Endpoints,
    ids: NDArray[np.uint16],
) -> None:
    """Write segments into rows of shape (n, bytes), with at least as many bytes as the longest of them.

    `which` has the index of each one's kind, in ascending order. All kinds are of one link, and either all are played or none.
    """
    begins = np.searchsorted(which, np.arange(len(kinds) + 1)).tolist()
    for kind, (begin, end) in zip(kinds, pairwise(begins), strict=True):
        frames[begin:end, : len(kind.frame)] = np.frombuffer(kind.frame, dtype=np.uint8)
    first = kinds[0].begin
    header = frames[:, first : first + HEADER.itemsize].view(HEADER)[:, 0]
    ours, theirs = ("destination", "source") if kinds[0].played else ("source", "destination")
    header[theirs] = endpoints.address
    header[f"{ours}_port"] = endpoints.our_port
    header[f"{theirs}_port"] = endpoints.port
    header["sequence"] = endpoints.sequence
    header["acknowledgement"] = endpoints.acknowledgement
    header["id"] = ids
    ip = halves(endpoints.address)
    tcp = ip + halves(endpoints.sequence) + halves(endpoints.acknowledgement) + endpoints.port + endpoints.our_port
    constant = np.array([(kind.ip, kind.tcp) for kind in kinds], dtype=np.uint32)[which]
    header["ip_checksum"] = checksum(ip + ids + constant[:, 0])
    header["tcp_checksum"] = checksum(tcp + constant[:, 1])
