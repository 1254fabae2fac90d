"""Checksums of received packets, compared with another implementation's."""

import dpkt
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.intact import intact

ROW = 128


def packed(payload: bytes, protocol: int) -> bytes:
    """A packet that dpkt made, including checksums."""
    inner = dpkt.tcp.TCP(sport=104, dport=20000, seq=7, ack=9, flags=24, data=payload)
    if protocol == dpkt.ip.IP_PROTO_ICMP:
        inner = dpkt.icmp.ICMP(type=3, code=1, data=dpkt.icmp.ICMP.Unreach(data=payload.ljust(28, b"\0")))
    return bytes(dpkt.ip.IP(src=b"\x0b\0\0\1", dst=b"\xc6\x12\0\1", p=protocol, id=5, data=inner))


def judged(packet: bytes, length: int | None = None) -> bool:
    """Our verdict on a packet whose row still has older bytes after the packet."""
    row = np.frombuffer((packet + b"\xa5" * ROW)[:ROW], dtype=np.uint8)[None, :]
    return bool(intact(row, np.array([length or len(packet)]))[0])


PROTOCOLS = st.sampled_from([dpkt.ip.IP_PROTO_TCP, dpkt.ip.IP_PROTO_ICMP])


@given(st.binary(max_size=60), PROTOCOLS)
def test_packets_of_another_implementation_are_intact(payload: bytes, protocol: int) -> None:
    """A packet with dpkt's checksums is intact, whether its length is odd or even, and whatever follows in the row."""
    assert judged(packed(payload, protocol))


@given(st.binary(max_size=60), PROTOCOLS, st.data())
def test_one_changed_bit_is_noticed(payload: bytes, protocol: int, draw: st.DataObject) -> None:
    """A flipped bit anywhere makes a packet broken, except in the length and the protocol."""
    packet = bytearray(packed(payload, protocol))
    at = draw.draw(st.sampled_from([n for n in range(len(packet)) if n not in (2, 3, 9)]))
    packet[at] ^= 1 << draw.draw(st.integers(0, 7))
    assert not judged(bytes(packet))


def test_a_packet_longer_than_its_row_is_not_judged_whole() -> None:
    """A truncated packet is not intact."""
    assert not judged(packed(bytes(200), dpkt.ip.IP_PROTO_TCP)[:ROW], 240)
