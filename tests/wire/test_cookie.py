"""SipHash-2-4 against the paper's example, a published vector and a reference in plain Python; cookies made of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire.cookie import FIRST_SOURCE_PORT, SOURCE_PORTS, Secret, bake, siphash

MASK = 2**64 - 1
KEY = bytes(range(16))


def rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & MASK


def sip_round(v: list[int]) -> None:
    for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
        v[a] = (v[a] + v[b]) & MASK
        v[c] = (v[c] + v[d]) & MASK
        v[b] = rotate(v[b], first) ^ v[a]
        v[d] = rotate(v[d], second) ^ v[c]
        v[a] = rotate(v[a], 32)


def reference(key: bytes, message: bytes) -> int:
    """SipHash-2-4 of a message of any length, as the paper describes it."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for begin in range(0, len(padded), 8):
        block = int.from_bytes(padded[begin : begin + 8], "little")
        v[3] ^= block
        sip_round(v)
        sip_round(v)
        v[0] ^= block
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def test_reference_on_the_example_of_the_paper() -> None:
    """The reference gives what Appendix A of the paper gives for fifteen bytes."""
    assert reference(KEY, bytes(range(15))) == 0xA129CA6149BE45E5


def test_published_vector() -> None:
    """The eight-byte vector that the authors publish comes out, byte for byte."""
    (tag,) = siphash(Secret.of(KEY), np.array([0x0706050403020100], dtype=np.uint64))
    assert int(tag).to_bytes(8, "little") == bytes.fromhex("6224939a79f5f593")


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16), st.lists(st.integers(0, MASK), min_size=1, max_size=20))
def test_against_the_reference(key: bytes, messages: list[int]) -> None:
    """Every message of a batch has the tag that the reference gives, and is left as it was."""
    batch = np.array(messages, dtype=np.uint64)
    wanted = [reference(key, message.to_bytes(8, "little")) for message in messages]
    assert siphash(Secret.of(key), batch).tolist() == wanted
    assert batch.tolist() == messages


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_cookie(key: bytes, address: int, port: int) -> None:
    """A cookie is the tag of address and port: its low half the sequence number, its high half the source port."""
    cookie = bake(Secret.of(key), np.array([address], dtype=np.uint32), np.array([port], dtype=np.uint16))
    tag = reference(key, (address << 16 | port).to_bytes(8, "little"))
    assert cookie.sequence.tolist() == [tag & 0xFFFFFFFF]
    assert cookie.source_port.tolist() == [FIRST_SOURCE_PORT + (tag >> 32) % SOURCE_PORTS]


def test_source_ports() -> None:
    """All source ports of the block are used, none beside it, and neighbours get unlike cookies."""
    cookie = bake(Secret.of(KEY), np.arange(400_000, dtype=np.uint32), np.full(400_000, 104, dtype=np.uint16))
    used = np.unique(cookie.source_port)
    assert (used[0], used[-1], len(used)) == (FIRST_SOURCE_PORT, FIRST_SOURCE_PORT + SOURCE_PORTS - 1, SOURCE_PORTS)
    assert len(np.unique(cookie.sequence)) > 399_000
