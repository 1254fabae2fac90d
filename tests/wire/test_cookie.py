"""HalfSipHash-2-4 against the authors' vectors and a reference in plain Python; cookies made from it."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.cookie import (
    FIRST_SOURCE_PORT,
    LENGTH,
    SOURCE_PORTS,
    ProbeKind,
    Secret,
    Slice,
    bake,
    halfsiphash,
    tags,
)

MASK = 2**32 - 1
KEY = bytes(range(8))
#: Length of the message 00 01 02 … → its tag under the key 00 01 … 07 (vectors.h of the authors' reference code).
PUBLISHED = {
    0: 0x5B9F35A9, 4: 0x89466E2A, 6: 0x23FC6358, 8: 0x8F84B8D0, 12: 0x2F87F057, 16: 0x84ACB5D9, 20: 0x45104DE3,
}  # fmt: skip


def rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & MASK


def half_round(v: list[int]) -> None:
    for a, b, c, d, first, second in ((0, 1, 2, 3, 5, 8), (2, 1, 0, 3, 13, 7)):
        v[a] = (v[a] + v[b]) & MASK
        v[c] = (v[c] + v[d]) & MASK
        v[b] = rotate(v[b], first) ^ v[a]
        v[d] = rotate(v[d], second) ^ v[c]
        v[a] = rotate(v[a], 16)


def reference(key: bytes, message: bytes) -> int:
    """HalfSipHash-2-4 of a message of any length, with a tag of 32 bits."""
    k0, k1 = int.from_bytes(key[:4], "little"), int.from_bytes(key[4:], "little")
    v = [k0, k1, k0 ^ 0x6C796765, k1 ^ 0x74656462]
    padded = message + bytes(3 - len(message) % 4) + bytes([len(message) % 256])
    for begin in range(0, len(padded), 4):
        block = int.from_bytes(padded[begin : begin + 4], "little")
        v[3] ^= block
        half_round(v)
        half_round(v)
        v[0] ^= block
    v[2] ^= 0xFF
    for _ in range(4):
        half_round(v)
    return v[1] ^ v[3]


@pytest.mark.parametrize("length", PUBLISHED)
def test_reference_on_the_published_vectors(length: int) -> None:
    """The reference gives the tags that the authors publish."""
    assert reference(KEY, bytes(range(length))) == PUBLISHED[length]


def test_published_vector() -> None:
    """We compute the six-byte vector that the authors publish."""
    (tag,) = halfsiphash(Secret.of(KEY), np.array([0x03020100], dtype=np.uint32), np.array([0x0504], dtype=np.uint32))
    assert int(tag) == PUBLISHED[LENGTH]


@given(st.binary(min_size=8, max_size=8), st.lists(st.binary(min_size=6, max_size=6), min_size=1, max_size=20))
def test_against_the_reference(key: bytes, messages: list[bytes]) -> None:
    """Every message of a batch gets the tag of the reference and is left unchanged."""
    first, last = (
        np.array([int.from_bytes(message[part], "little") for message in messages], dtype=np.uint32)
        for part in (slice(0, 4), slice(4, 6))
    )
    kept = first.copy(), last.copy()
    assert halfsiphash(Secret.of(key), first, last).tolist() == [reference(key, message) for message in messages]
    assert np.array_equal(first, kept[0]) and np.array_equal(last, kept[1])


@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_cookie(key: bytes, address: int, port: int) -> None:
    """A cookie is the tag of address and port: the whole tag is the sequence number, its upper bits give the source port."""
    cookie = bake(Secret.of(key), np.array([address], dtype=np.uint32), np.array([port], dtype=np.uint16))
    tag = reference(key, address.to_bytes(4, "little") + port.to_bytes(2, "little"))
    assert cookie.sequence.tolist() == [tag]
    assert cookie.source_port.tolist() == [FIRST_SOURCE_PORT + tag * SOURCE_PORTS // 2**32]


@given(st.binary(min_size=8, max_size=8), st.integers(1, 64), st.integers(0, 2**14 - 1))
def test_kinds(key: bytes, senders: int, turn: int) -> None:
    """Probes of two kinds to one target differ in port and sequence number, which is at least 2^29 from any other kind's."""
    addresses, ports = np.arange(2000, dtype=np.uint32), np.full(2000, 104, dtype=np.uint16)
    ours = Slice.of(0, senders, turn)
    cookies = [bake(Secret.of(key, ours, kind), addresses, ports) for kind in ProbeKind]
    for one, other in combinations(cookies, 2):
        assert (one.source_port != other.source_port).all()
        assert (np.minimum(one.sequence - other.sequence, other.sequence - one.sequence) >= 1 << 29).all()
    assert np.array_equal(tags(Secret.of(key, kind=ProbeKind.SECOND), addresses, ports), cookies[0].sequence)


@given(st.integers(1, 64), st.integers(0, 2**14 - 1), st.binary(min_size=8, max_size=8))
def test_slices(senders: int, turn: int, key: bytes) -> None:
    """The senders' port slices are disjoint and fill the block; cookies stay within a slice, and their sequences are the same."""
    slices = [Slice.of(sender, senders, turn) for sender in range(senders)]
    assert slices[0].first == FIRST_SOURCE_PORT and slices[-1].last < FIRST_SOURCE_PORT + SOURCE_PORTS
    assert all(one.last + 1 == other.first for one, other in pairwise(slices))
    addresses, ports = np.arange(2000, dtype=np.uint32), np.full(2000, 104, dtype=np.uint16)
    whole = bake(Secret.of(key), addresses, ports)
    for chosen in slices:
        cookie = bake(Secret.of(key, chosen), addresses, ports)
        assert np.array_equal(cookie.sequence, whole.sequence)
        assert chosen.first <= cookie.source_port.min() and cookie.source_port.max() <= chosen.last


def test_another_turn_is_another_connection() -> None:
    """A restarted sender uses another port for every target, and the same sequence numbers."""
    addresses, ports = np.arange(10_000, dtype=np.uint32), np.full(10_000, 104, dtype=np.uint16)
    one, other = (bake(Secret.of(KEY, Slice.of(1, 4, turn)), addresses, ports) for turn in (7, 8))
    assert (one.source_port != other.source_port).all()
    assert np.array_equal(one.sequence, other.sequence)


def test_source_ports() -> None:
    """All source ports of the block are used, and no others; neighbours get different cookies."""
    cookie = bake(Secret.of(KEY), np.arange(400_000, dtype=np.uint32), np.full(400_000, 104, dtype=np.uint16))
    used = np.unique(cookie.source_port)
    assert (used[0], used[-1], len(used)) == (FIRST_SOURCE_PORT, FIRST_SOURCE_PORT + SOURCE_PORTS - 1, SOURCE_PORTS)
    assert len(np.unique(cookie.sequence)) > 399_000
