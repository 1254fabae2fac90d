"""Handshake messages in clear: a group that is too long is detected before OpenSSL calculates with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.flight import Flight


def record(payload: bytes, content: int = 22) -> bytes:
    """A TLS record."""
    return bytes([content, 3, 3]) + len(payload).to_bytes(2) + payload


def message(body: bytes, number: int = 12) -> bytes:
    """A handshake message, a ServerKeyExchange by default."""
    return bytes([number]) + len(body).to_bytes(3) + body


def group(bits: int) -> bytes:
    """The beginning of a ServerKeyExchange with a prime of `bits` bits."""
    return (bits // 8).to_bytes(2) + b"\xff" * (bits // 8) + b"\0\1\2"


HELLO = message(bytes(70), 2)


@pytest.mark.parametrize(
    ("body", "long"),
    [
        (group(1024), False),
        (group(4096), False),
        (group(4104), True),
        (group(6144), False),
        (group(8192), True),
        (group(10_000), True),
        (bytes.fromhex("03 0017 41") + bytes(65), False),
        (bytes.fromhex("03 001d 20") + bytes(32), False),
        (b"", False),
        (b"\x04", False),
    ],
)
def test_groups(body: bytes, long: bool) -> None:
    """Primes of up to 4,096 bits and curves pass; longer primes do not, however the bytes are cut."""
    stream = record(HELLO) + record(message(body))
    assert Flight().take(stream) is long
    one_by_one = Flight()
    assert any(one_by_one.take(bytes([byte])) for byte in stream) is long
    joined, split = HELLO + message(body), Flight()
    assert any(split.take(record(joined[at : at + 50])) for at in range(0, len(joined), 50)) is long


def test_only_whole_messages() -> None:
    """OpenSSL calculates once the message is complete; until then no group is reported."""
    stream = record(message(group(8192)))
    assert Flight().take(stream[:-1]) is False


def test_other_content() -> None:
    """Other messages and other records are not groups."""
    assert not Flight().take(record(message(group(8192), 11)) + record(message(group(8192)), 23))


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Any bytes are accepted, and how they are cut does not matter."""
    split, whole = Flight(), Flight()
    assert any(split.take(piece) for piece in pieces) is whole.take(b"".join(pieces))
