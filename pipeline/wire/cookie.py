"""The validation cookie: a keyed MAC of a target, carried in our probe's sequence number and source port.

SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012) over the eight bytes of (address, port), vectorised. An answer is ours only if its
acknowledgement number and destination port are those that the secret gives for its source.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

#: Source ports of probes (DESIGN §5): outside Linux's default range for ordinary connections, 32768–60999.
FIRST_SOURCE_PORT = 16384
SOURCE_PORTS = 16384


@dataclass(frozen=True, slots=True)
class Secret:
    """The 128-bit key, as two little-endian halves. It is drawn once a sweep and never published."""

    k0: int
    k1: int

    @classmethod
    def of(cls, key: bytes) -> "Secret":
        """Take the key from 16 bytes."""
        return cls(int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little"))


def siphash(secret: Secret, message: U64) -> U64:
    """SipHash-2-4 of each eight-byte message, given as little-endian integers; shape (n,) → (n,)."""
    shape = message.shape
    v0 = np.full(shape, secret.k0 ^ 0x736F6D6570736575, dtype=np.uint64)
    v1 = np.full(shape, secret.k1 ^ 0x646F72616E646F6D, dtype=np.uint64)
    v2 = np.full(shape, secret.k0 ^ 0x6C7967656E657261, dtype=np.uint64)
    v3 = np.full(shape, secret.k1 ^ 0x7465646279746573, dtype=np.uint64)
    length = np.uint64(8 << 56)
    for block in (message, length):
        v3 ^= block
        _round(v0, v1, v2, v3)
        _round(v0, v1, v2, v3)
        v0 ^= block
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _round(v0: U64, v1: U64, v2: U64, v3: U64) -> None:
    """One SipRound, in place."""
    v0 += v1
    _rotate(v1, 13)
    v1 ^= v0
    _rotate(v0, 32)
    v2 += v3
    _rotate(v3, 16)
    v3 ^= v2
    v0 += v3
    _rotate(v3, 21)
    v3 ^= v0
    v2 += v1
    _rotate(v1, 17)
    v1 ^= v2
    _rotate(v2, 32)


def _rotate(word: U64, bits: int) -> None:
    high = word >> np.uint64(64 - bits)
    word <<= np.uint64(bits)
    word |= high


@dataclass(frozen=True, slots=True)
class Cookie:
    """What a probe to a target must carry: source port (uint16) and sequence number (uint32), shape (n,) each."""

    source_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]


def bake(secret: Secret, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> Cookie:
    """The cookies of targets."""
    message = (addresses.astype(np.uint64) << np.uint64(16)) | ports.astype(np.uint64)
    tag = siphash(secret, message)
    port = FIRST_SOURCE_PORT + ((tag >> np.uint64(32)) % np.uint64(SOURCE_PORTS))
    return Cookie(port.astype(np.uint16), (tag & np.uint64(0xFFFFFFFF)).astype(np.uint32))
