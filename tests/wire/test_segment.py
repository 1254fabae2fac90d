"""Segments of our own, read by another implementation."""

import dpkt
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.packet import ACK, FIN, PSH, RST, Link
from pipeline.wire.segment import HEADER, Endpoints, Kind, fill

OURS = 0x14000001
LINK = Link(source_mac=b"\x02\x00\x00\x00\x00\x01", gateway_mac=b"\x02\x00\x00\x00\x00\x02", source=OURS)
PLACES = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1), st.integers(0, 65535),
)  # fmt: skip
KINDS = st.tuples(st.sampled_from([ACK, ACK | PSH, ACK | FIN, RST | ACK]), st.binary(max_size=300))


def filled(kinds: list[Kind], which: list[int], rows: list[tuple[int, ...]]) -> list[bytes]:
    """The frames of (address, port, our port, sequence, acknowledgement, id), each of its kind."""
    address, port, our_port, sequence, acknowledgement, ids = (np.array(column) for column in zip(*rows, strict=True))
    frames = np.zeros((len(rows), 512), dtype=np.uint8)
    u4 = np.uint32
    places = Endpoints(
        address.astype(u4),
        port.astype(np.uint16),
        our_port.astype(np.uint16),
        sequence.astype(u4),
        acknowledgement.astype(u4),
    )
    fill(frames, kinds, np.array(which), places, ids.astype(np.uint16))
    return [frame[: len(kinds[number].frame)].tobytes() for frame, number in zip(frames, which, strict=True)]


@given(
    st.lists(st.tuples(KINDS, st.lists(PLACES, max_size=5)), min_size=1, max_size=4).filter(
        lambda said: any(rows for _, rows in said)
    )
)
def test_another_implementation_reads_them(said: list[tuple[tuple[int, bytes], list[tuple[int, ...]]]]) -> None:
    """Several kinds are filled together: dpkt reads their fields, payloads of odd and even length, and both checksums."""
    which = [number for number, (_, rows) in enumerate(said) for _ in rows]
    rows = [row for _, rows in said for row in rows]
    frames = filled([Kind.of(LINK, *made) for made, _ in said], which, rows)
    for frame, number, (address, port, our_port, sequence, acknowledgement, id) in zip(
        frames, which, rows, strict=True
    ):
        flags, payload = said[number][0]
        ip = dpkt.ethernet.Ethernet(frame).data
        tcp = ip.data
        assert (int.from_bytes(ip.dst, "big"), int.from_bytes(ip.src, "big"), ip.id) == (address, OURS, id)
        assert (tcp.dport, tcp.sport, tcp.seq, tcp.ack) == (port, our_port, sequence, acknowledgement)
        assert (tcp.flags, tcp.off, bytes(tcp.data)) == (flags, 5, payload)
        sums = ip.sum, tcp.sum
        ip.sum = tcp.sum = 0
        again = dpkt.ip.IP(bytes(ip))
        assert sums == (again.sum, again.data.sum)


def test_a_header_is_forty_bytes() -> None:
    """IPv4 and TCP without options."""
    assert HEADER.itemsize == 20 + 20


@given(st.lists(PLACES, min_size=1, max_size=5), KINDS)
def test_without_ethernet_the_packet_is_the_same(rows: list[tuple[int, ...]], made: tuple[int, bytes]) -> None:
    """On a link without MAC addresses a frame is the same packet, and nothing before it."""
    which = [0] * len(rows)
    bare = filled([Kind.of(Link(b"", b"", OURS), *made)], which, rows)
    assert bare == [frame[14:] for frame in filled([Kind.of(LINK, *made)], which, rows)]
