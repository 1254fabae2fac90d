"""Probes and answers as numpy views of Ethernet, IPv4 and TCP headers (RFC 894, RFC 791, RFC 9293).

A probe is what an ordinary client's kernel sends: MSS, SACK permitted and window scale, no timestamps, a random IP id.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.cookie import Cookie

#: The MSS of an Ethernet without jumbo frames: MTU 1500 less IPv4 and TCP headers (RFC 6691 §2).
MSS = 1460
#: MSS (RFC 9293 §3.7.1), SACK permitted (RFC 2018), NOP, window scale 7 (RFC 7323), padded to a multiple of four bytes.
OPTIONS = bytes.fromhex(f"0204{MSS:04x} 0402 01 030307 0000".replace(" ", ""))
WINDOW = 64240
TTL = 64
ETHERNET = 14
#: A probe where the link has no Ethernet header (tun, WireGuard, PPP): a bare IPv4 packet.
PACKET = np.dtype(
    [
        ("version", "u1"),
        ("tos", "u1"),
        ("total_length", ">u2"),
        ("id", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("ip_checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("sequence", ">u4"),
        ("acknowledgement", ">u4"),
        ("offset", "u1"),
        ("flags", "u1"),
        ("window", ">u2"),
        ("tcp_checksum", ">u2"),
        ("urgent", ">u2"),
        ("options", f"V{len(OPTIONS)}"),
    ]
)
#: A probe with its Ethernet header.
FRAME = np.dtype([("destination_mac", "V6"), ("source_mac", "V6"), ("ethertype", ">u2"), *PACKET.descr])
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, ICMP = 6, 1
ICMP_UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class Link:
    """Where frames leave and where they go first: MAC addresses (6 bytes) and our IPv4 address; the MSS that our SYNs announce.

    A link without Ethernet has no MAC addresses.
    """

    source_mac: bytes
    gateway_mac: bytes
    source: int
    mss: int = MSS

    @property
    def header(self) -> bytes:
        """The Ethernet header of every frame; empty where the link has none."""
        return self.gateway_mac + self.source_mac + b"\x08\x00" if self.source_mac else b""


def template(link: Link) -> bytes:
    """A probe's frame with every constant field set and the variable ones zero."""
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, PACKET.itemsize, 0, 0x4000, TTL, TCP, 0, link.source, 0)
    offset = (20 + len(OPTIONS)) // 4 << 4
    tcp = struct.pack(">HHIIBBHHH", 0, 0, 0, 0, offset, SYN, WINDOW, 0, 0)
    return link.header + ip + tcp + OPTIONS[:2] + struct.pack(">H", link.mss) + OPTIONS[4:]


def frame_type(length: int) -> np.dtype[np.void]:
    """The type of a probe's frame by its bytes: with an Ethernet header, or a bare packet."""
    return FRAME if length == FRAME.itemsize else PACKET


@dataclass(frozen=True, slots=True)
class Sums:
    """The part of both checksums that is the same for all probes."""

    ip: int
    tcp: int

    @classmethod
    def over(cls, frame: bytes) -> "Sums":
        """Add up the constant words of a template: IP header; TCP header and pseudo-header (RFC 9293 §3.1)."""
        ip, tcp = frame[-PACKET.itemsize :][:20], frame[-PACKET.itemsize :][20:]
        pseudo = ip[12:20] + struct.pack(">BBH", 0, TCP, len(tcp))
        return cls(words(ip), words(pseudo) + words(tcp))


def words(data: bytes) -> int:
    """The sum of the 16-bit words of an even number of bytes."""
    return sum(struct.unpack(f">{len(data) // 2}H", data))


def fill(
    frames: NDArray[np.void],
    sums: Sums,
    addresses: NDArray[np.integer],
    ports: NDArray[np.integer],
    cookie: Cookie,
    ids: NDArray[np.uint16],
) -> None:
    """Write the variable fields of probes into frames that have the template; all of shape (n,)."""
    frames["destination"] = addresses
    frames["destination_port"] = ports
    frames["source_port"] = cookie.source_port
    frames["sequence"] = cookie.sequence
    frames["id"] = ids
    ip = halves(addresses.astype(np.uint32, copy=False))
    tcp = halves(cookie.sequence)
    tcp += ip
    tcp += ports
    tcp += cookie.source_port
    tcp += np.uint32(sums.tcp)
    ip += ids
    ip += np.uint32(sums.ip)
    frames["ip_checksum"] = checksum(ip)
    frames["tcp_checksum"] = checksum(tcp)


def halves(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The sum of both halves of each 32-bit word, shape (n,)."""
    total: NDArray[np.uint32] = words >> np.uint32(16)
    total += words.astype(np.uint16)
    return total


def checksum(total: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The one's-complement checksum of a sum of fewer than 2^16 words (RFC 1071); shape (n,)."""
    for _ in range(2):
        total = halves(total)
    return ~total.astype(np.uint16)


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, one entry per packet: its target, and the fields that prove it to be an answer. Shape (n,)."""

    address: NDArray[np.uint32]
    port: NDArray[np.uint16]
    our_port: NDArray[np.uint16]
    our_sequence: NDArray[np.uint32]
    """The sequence number of the probe that is answered: acknowledgement − 1, or the one that ICMP quotes."""
    sequence: NDArray[np.uint32]
    """The peer's own."""
    flags: NDArray[np.uint8]
    """TCP flags; 0 for an ICMP unreachable."""
    ttl: NDArray[np.uint8]
    window: NDArray[np.uint16]
    options: NDArray[np.uint64]
    """64-bit FNV-1a over the words of the TCP options, kinds and values; FNV_BASIS if there are none."""
    frame: NDArray[np.int64]
    """The number of the packet."""
    begin: NDArray[np.uint16]
    """Where in that packet the peer's bytes begin."""
    size: NDArray[np.uint16]
    """How many bytes of the peer's there are; none in an ICMP message."""

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Answers":
        """The entries at these indices, or those that a mask keeps."""
        return Answers(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


#: Bytes of an ICMP message up to the end of what it quotes: IP header 20 + ICMP 8 + quoted IP header 20 + 8.
QUOTED = 56
#: Received IPv4 packets are read as rows of this many bytes: IP header 20 + TCP header 60 at most.
SNAP = 80
#: FNV-1a, 64 bits (draft-eastlake-fnv, parameters), a 32-bit word at a time.
FNV_BASIS, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def read_answers(packets: NDArray[np.uint8], lengths: NDArray[np.integer]) -> Answers:
    """Read IPv4 packets, rows of SNAP bytes with their true lengths; all but TCP segments and ICMP unreachable are left out.

    Only packets without IP options are read. No SYN-ACK has any, and a cookie must not be judged by guesswork.
    """
    total, protocol = u2(packets, 2), packets[:, 9]
    plain = (packets[:, 0] == 0x45) & ((packets[:, 6] & 0x3F) == 0) & (packets[:, 7] == 0)
    plain &= total <= lengths
    tcp = plain & (protocol == TCP) & (lengths >= 40)
    offset = (packets[:, 32] >> 4) * np.uint16(4) + np.uint16(20)
    tcp &= (offset >= 40) & (offset <= total)
    segments = _read_tcp(packets[tcp], np.flatnonzero(tcp))
    quoting = plain & (protocol == ICMP)
    if not quoting.any():
        return segments
    quoting &= (lengths >= QUOTED) & (packets[:, 20] == ICMP_UNREACHABLE)
    quoting &= (packets[:, 28] == 0x45) & (packets[:, 37] == TCP)
    return _join(segments, _read_icmp(packets[quoting], np.flatnonzero(quoting)))


def _read_tcp(rows: NDArray[np.uint8], frame: NDArray[np.int64]) -> Answers:
    begin = (rows[:, 32] >> np.uint8(4)).astype(np.uint16) * np.uint16(4) + np.uint16(20)
    return Answers(
        address=u4(rows, 12),
        port=u2(rows, 20),
        our_port=u2(rows, 22),
        our_sequence=u4(rows, 28) - np.uint32(1),
        sequence=u4(rows, 24),
        flags=rows[:, 33].copy(),
        ttl=rows[:, 8].copy(),
        window=u2(rows, 34),
        options=_hash(rows[:, 40:], (rows[:, 32] >> np.uint8(4)).astype(np.int64) - 5),
        frame=frame,
        begin=begin,
        size=u2(rows, 2) - begin,
    )


def _read_icmp(rows: NDArray[np.uint8], frame: NDArray[np.int64]) -> Answers:
    none = np.zeros(len(rows), dtype=np.uint8)
    return Answers(
        address=u4(rows, 44),
        port=u2(rows, 50),
        our_port=u2(rows, 48),
        our_sequence=u4(rows, 52),
        sequence=none.astype(np.uint32),
        flags=none,
        ttl=rows[:, 8].copy(),
        window=none.astype(np.uint16),
        options=none.astype(np.uint64),
        frame=frame,
        begin=none.astype(np.uint16),
        size=none.astype(np.uint16),
    )


def _hash(rows: NDArray[np.uint8], words: NDArray[np.integer]) -> NDArray[np.uint64]:
    """The hash of the first `words` 32-bit words of each row."""
    hashes = np.full(len(rows), FNV_BASIS)
    for number in range(int(words.max(initial=0))):
        stepped = (hashes ^ u4(rows, 4 * number)) * FNV_PRIME
        hashes = np.where(number < words, stepped, hashes)
    return hashes


def _join(*parts: Answers) -> Answers:
    return Answers(*(np.concatenate([getattr(part, name) for part in parts]) for name in Answers.__dataclass_fields__))


def u2(rows: NDArray[np.uint8], at: int) -> NDArray[np.uint16]:
    """The big-endian 16-bit word that begins at byte `at` of each row."""
    return rows[:, at : at + 2].view(">u2")[:, 0].astype(np.uint16)


def u4(rows: NDArray[np.uint8], at: int) -> NDArray[np.uint32]:
    """The big-endian 32-bit word that begins at byte `at` of each row."""
    return rows[:, at : at + 4].view(">u4")[:, 0].astype(np.uint32)
