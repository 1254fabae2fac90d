"""The validation cookie: a keyed MAC of a target, carried in our probe's sequence number and source port.

HalfSipHash-2-4 (Aumasson's and Bernstein's variant of SipHash, INDOCRYPT 2012, for 32-bit words; its reference code gives the
vectors) over the six bytes of (address, port), vectorised. An answer is ours only if its acknowledgement number and destination
port are those that the secret gives for its source. A forger who does not see our probes guesses right once in 2^32 times.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]

#: Source ports of probes (docs/configuration.md, [probe]): outside Linux's default range for ordinary connections, 32768–60999.
FIRST_SOURCE_PORT = 16384
SOURCE_PORT_BITS = 14
SOURCE_PORTS = 1 << SOURCE_PORT_BITS
#: The most senders that share the ports of one source address: a slice then has 256.
MOST_SENDERS = 64
#: Bytes of a message: an address and a port.
LENGTH = 6


class ProbeKind(IntEnum):
    """What a probe is for. Its cookie is the target's tag plus that many eighths of 2^32.

    So probes of different kinds never share a source port, and one tag shows of which kind an answer is, if of any.
    """

    PLAN = 0
    SECOND = 1
    CONTROL = 2
    HARM = 3
    CONFIRMATION = 4
    CONTROL_TARGET = 5
    COMPANION = 6


@dataclass(frozen=True, slots=True)
class Slice:
    """The source ports of one sender: 2 ** `bits` of them, from `first` on, each target's moved on by `turn`.

    A sender that is started again takes another turn. A host that still has a connection of the run before would take a SYN from
    the same port for a stray segment of it, and not answer (RFC 9293 §3.10.7.4).
    """

    first: int = FIRST_SOURCE_PORT
    bits: int = SOURCE_PORT_BITS
    turn: int = 0

    @classmethod
    def of(cls, sender: int, senders: int, turn: int = 0) -> "Slice":
        """The slice of a sender, counted from 0; slices are of the same size and never overlap."""
        bits = SOURCE_PORT_BITS - (senders - 1).bit_length()
        return cls(FIRST_SOURCE_PORT + (sender << bits), bits, turn % (1 << bits))

    @property
    def last(self) -> int:
        """The last port of the slice."""
        return self.first + (1 << self.bits) - 1


#: All source ports, for a single sender.
WHOLE = Slice()


@dataclass(frozen=True, slots=True)
class Secret:
    """The 64-bit key, as two little-endian halves, the source ports that cookies made with it choose from, and their kind.

    The key is drawn once a sweep and never published.
    """

    k0: int
    k1: int
    ports: Slice = WHOLE
    kind: ProbeKind = ProbeKind.PLAN

    @classmethod
    def of(cls, key: bytes, ports: Slice = WHOLE, kind: ProbeKind = ProbeKind.PLAN) -> "Secret":
        """Take the key from the first eight bytes."""
        return cls(int.from_bytes(key[:4], "little"), int.from_bytes(key[4:8], "little"), ports, kind)

    @classmethod
    def derived(cls, key: bytes, purpose: str) -> "Secret":
        """The key for a purpose, derived from the sweep's (BLAKE2b, RFC 7693, keyed)."""
        return cls.of(hashlib.blake2b(purpose.encode(), key=key, digest_size=8).digest())

    @property
    def step(self) -> int:
        """What a kind's sequence numbers are more than the tag."""
        return self.kind << 29


def halfsiphash(secret: Secret, first: U32, last: U32) -> U32:
    """The 32-bit tags of six-byte messages, given as a little-endian word and a half; both of shape (n,), → (n,)."""
    v0 = np.full(first.shape, secret.k0, dtype=np.uint32)
    v1 = np.full(first.shape, secret.k1, dtype=np.uint32)
    v2 = np.full(first.shape, secret.k0 ^ 0x6C796765, dtype=np.uint32)
    v3 = np.full(first.shape, secret.k1 ^ 0x74656462, dtype=np.uint32)
    spare = np.empty_like(v0)
    for block in (first, last | np.uint32(LENGTH << 24)):
        v3 ^= block
        _round(v0, v1, v2, v3, spare)
        _round(v0, v1, v2, v3, spare)
        v0 ^= block
    v2 ^= np.uint32(0xFF)
    for _ in range(4):
        _round(v0, v1, v2, v3, spare)
    v1 ^= v3
    return v1


def _round(v0: U32, v1: U32, v2: U32, v3: U32, spare: U32) -> None:
    """One HalfSipRound, in place."""
    v0 += v1
    _rotate(v1, 5, spare)
    v1 ^= v0
    _rotate(v0, 16, spare)
    v2 += v3
    _rotate(v3, 8, spare)
    v3 ^= v2
    v0 += v3
    _rotate(v3, 7, spare)
    v3 ^= v0
    v2 += v1
    _rotate(v1, 13, spare)
    v1 ^= v2
    _rotate(v2, 16, spare)


def _rotate(word: U32, bits: int, spare: U32) -> None:
    np.right_shift(word, np.uint32(32 - bits), out=spare)
    word <<= np.uint32(bits)
    word |= spare


@dataclass(frozen=True, slots=True)
class Cookie:
    """What the probe to a target carries: source port (uint16) and sequence number (uint32), shape (n,) each."""

    source_port: NDArray[np.uint16]
    sequence: U32


def tags(secret: Secret, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> U32:
    """The tags of targets, the same for all kinds; all of shape (n,)."""
    return halfsiphash(secret, addresses.astype(np.uint32, copy=False), ports.astype(np.uint32))


def bake(secret: Secret, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> Cookie:
    """The cookies of targets: the tag, moved on by the kind's step, is the sequence number, which gives the source port."""
    sequence = tags(secret, addresses, ports)
    sequence += np.uint32(secret.step)
    return Cookie(source_ports(secret, sequence), sequence)


def source_ports(secret: Secret, sequence: U32) -> NDArray[np.uint16]:
    """The source ports of probes with these sequence numbers: their upper bits, and the turn; shape (n,)."""
    ours = secret.ports
    port = (sequence >> np.uint32(32 - ours.bits)).astype(np.uint16)
    port += np.uint16(ours.turn)
    port &= np.uint16((1 << ours.bits) - 1)
    port += np.uint16(ours.first)
    return port
