"""Probes read by another implementation, and answers written by that implementation."""

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire.cookie import Cookie
from pipeline.wire.packet import (
    ACK,
    OPTIONS,
    RST,
    SNAP,
    SYN,
    Answers,
    Link,
    Sums,
    fill,
    frame_type,
    read_answers,
    template,
)

OURS = 0x14000001
LINK = Link(source_mac=b"\x02\x00\x00\x00\x00\x01", gateway_mac=b"\x02\x00\x00\x00\x00\x02", source=OURS)
PROBES = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
)
PEER = bytes.fromhex("14000102")
FIELDS = ("address", "port", "our_port", "our_sequence", "flags", "ttl", "window")


def probe_frames(rows: list[tuple[int, ...]], link: Link = LINK) -> list[bytes]:
    """Filled frames of (address, port, source port, sequence, id)."""
    addresses, ports, source_ports, sequences, ids = (np.array(column) for column in zip(*rows, strict=True))
    frames = np.frombuffer(bytearray(template(link) * len(rows)), dtype=frame_type(len(template(link))))
    cookie = Cookie(source_ports.astype(np.uint16), sequences.astype(np.uint32))
    sums = Sums.over(template(link))
    fill(frames, sums, addresses.astype(np.uint32), ports.astype(np.uint16), cookie, ids.astype(np.uint16))
    return [frame.tobytes() for frame in frames]


def read(*packets: bytes) -> Answers:
    rows = np.frombuffer(b"".join(packet[:SNAP].ljust(SNAP, b"\0") for packet in packets), dtype=np.uint8)
    return read_answers(rows.reshape(-1, SNAP), np.array([len(packet) for packet in packets]))


def only(answers: Answers) -> tuple[int, ...]:
    (row,) = zip(*(getattr(answers, name).tolist() for name in FIELDS), strict=True)
    return row


def tcp_answer(flags: int, *, ack: int = 1001, payload: bytes = b"", options: bytes = b"") -> bytes:
    tcp = dpkt.tcp.TCP(sport=104, dport=20000, seq=5, ack=ack, flags=flags, win=4096, opts=options, data=payload)
    tcp.off = (20 + len(options)) // 4
    return bytes(dpkt.ip.IP(src=PEER, dst=OURS.to_bytes(4, "big"), p=6, ttl=57, data=tcp))


def unreachable(quoted: bytes, *, type: int = 3) -> bytes:
    icmp = dpkt.icmp.ICMP(type=type, code=13, data=dpkt.icmp.ICMP.Unreach(data=quoted))
    return bytes(dpkt.ip.IP(src=bytes.fromhex("14000900"), dst=OURS.to_bytes(4, "big"), p=1, ttl=200, data=icmp))


@settings(deadline=None)
@given(st.lists(PROBES, min_size=1, max_size=10))
def test_fields_of_probes(rows: list[tuple[int, ...]]) -> None:
    """dpkt reads each probe as a SYN to its target that carries its cookie and an ordinary client's options."""
    for frame, (address, port, source_port, sequence, id) in zip(probe_frames(rows), rows, strict=True):
        ethernet = dpkt.ethernet.Ethernet(frame)
        ip, tcp = ethernet.data, ethernet.data.data
        assert (ethernet.dst, ethernet.src, ethernet.type) == (LINK.gateway_mac, LINK.source_mac, 0x0800)
        assert (int.from_bytes(ip.src, "big"), int.from_bytes(ip.dst, "big"), ip.id) == (OURS, address, id)
        assert (ip.len, ip.df, ip.mf, ip.offset, ip.ttl) == (len(frame) - 14, 1, 0, 0, 64)
        assert (tcp.sport, tcp.dport, tcp.seq, tcp.ack) == (source_port, port, sequence, 0)
        assert (tcp.flags, tcp.win, tcp.opts, bytes(tcp.data)) == (SYN, 64240, OPTIONS, b"")


@settings(deadline=None)
@given(st.lists(PROBES, min_size=1, max_size=10))
def test_without_ethernet_a_probe_is_the_same_packet(rows: list[tuple[int, ...]]) -> None:
    """On a link without MAC addresses a frame is the same packet, and nothing before it."""
    assert probe_frames(rows, Link(b"", b"", OURS)) == [frame[14:] for frame in probe_frames(rows)]


def test_the_mss_is_that_of_the_link() -> None:
    """A SYN announces the MSS of its link, with a right checksum; the other options stay."""
    (frame,) = probe_frames([(1, 104, 40000, 5, 6)], Link(LINK.source_mac, LINK.gateway_mac, OURS, 1240))
    ip = dpkt.ethernet.Ethernet(frame).data
    assert dict(dpkt.tcp.parse_opts(ip.data.opts))[dpkt.tcp.TCP_OPT_MSS] == (1240).to_bytes(2, "big")
    assert ip.data.opts[4:] == OPTIONS[4:]
    sums, ip.sum, ip.data.sum = (ip.sum, ip.data.sum), 0, 0
    again = dpkt.ip.IP(bytes(ip))
    assert sums == (again.sum, again.data.sum)


@settings(deadline=None)
@given(st.lists(PROBES, min_size=1, max_size=10))
def test_checksums_of_probes(rows: list[tuple[int, ...]]) -> None:
    """Both checksums of a probe are right: summed over the bytes that they cover, each gives zero."""
    for frame in probe_frames(rows):
        ip, tcp = frame[14:34], frame[34:]
        assert dpkt.in_cksum(ip) == 0
        assert dpkt.in_cksum(ip[12:20] + bytes([0, 6]) + len(tcp).to_bytes(2, "big") + tcp) == 0


@pytest.mark.parametrize("flags", [SYN | ACK, RST | ACK, RST])
@pytest.mark.parametrize("options", [b"", bytes.fromhex("020405b4")])
def test_tcp_answers(flags: int, options: bytes) -> None:
    """A SYN-ACK or RST gives the peer, our port, the acknowledged sequence number, TTL and window."""
    answers = read(tcp_answer(flags, options=options))
    assert only(answers) == (int.from_bytes(PEER, "big"), 104, 20000, 1000, flags, 57, 4096)


def test_acknowledgement_wraps() -> None:
    """The answer to a probe with the last sequence number acknowledges zero."""
    assert read(tcp_answer(SYN | ACK, ack=0)).our_sequence.tolist() == [2**32 - 1]


@settings(deadline=None)
@given(PROBES)
def test_unreachable(probe: tuple[int, ...]) -> None:
    """The target of an ICMP unreachable is that of the quoted probe, whether the quote is whole or has only 8 bytes of TCP."""
    address, port, source_port, sequence, _ = probe
    (frame,) = probe_frames([probe])
    for quoted in (frame[14:], frame[14:42]):
        assert only(read(unreachable(quoted))) == (address, port, source_port, sequence, 0, 200, 0)


def test_what_is_left_out() -> None:
    """Fragments, IP options, other protocols, other ICMP and short packets are not answers."""
    good = tcp_answer(SYN | ACK)
    quoted = probe_frames([(1, 2, 3, 4, 5)])[0][14:]
    icmp = unreachable(quoted)
    junk = (
        b"", good[:39], b"\x46" + good[1:], b"\x65" + good[1:],
        good[:6] + b"\x20\x00" + good[8:], good[:6] + b"\x00\x01" + good[8:],
        good[:9] + b"\x11" + good[10:], icmp[:55], unreachable(quoted, type=11), unreachable(quoted, type=0),
        unreachable(b"\x46" + quoted[1:]), unreachable(quoted[:9] + b"\x11" + quoted[10:]),
    )  # fmt: skip
    assert all(len(read(packet).address) == 0 for packet in junk)
    assert read(*junk, good, icmp).address.tolist() == [int.from_bytes(PEER, "big"), 1]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=20))
def test_junk(packets: list[bytes]) -> None:
    """Any bytes are read without an error, and every field has one entry per answer."""
    answers = read(*packets)
    assert len({len(getattr(answers, name)) for name in FIELDS}) == 1
    assert len(answers.address) <= len(packets)


def test_take() -> None:
    """Taking some of the answers keeps the fields of each together."""
    answers = read(tcp_answer(SYN | ACK), tcp_answer(RST, ack=7))
    assert only(answers.take(np.array([False, True]))) == (int.from_bytes(PEER, "big"), 104, 20000, 6, RST, 57, 4096)


@pytest.mark.parametrize("options", [b"", OPTIONS, bytes.fromhex("020405b4"), bytes(range(40))])
def test_options_are_hashed(options: bytes) -> None:
    """The hash is FNV-1a over the options' 32-bit words, as plain integers compute it; data after the options does not count."""
    expected = 0xCBF29CE484222325
    for at in range(0, len(options), 4):
        expected = ((expected ^ int.from_bytes(options[at : at + 4], "big")) * 0x100000001B3) % 2**64
    answers = read(tcp_answer(SYN | ACK, options=options, payload=b"data"), tcp_answer(SYN | ACK, options=options))
    assert answers.options.tolist() == [expected, expected]
