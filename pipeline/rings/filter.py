"""The classic BPF program that selects which frames a packet socket receives."""

import ctypes
import socket
import struct
from collections.abc import Sequence

from pipeline.wire.cookie import WHOLE, Slice
from pipeline.wire.packet import ETHERNET, ICMP, ICMP_UNREACHABLE, TCP

SO_ATTACH_FILTER = 26
#: A step of classic BPF: code, jt, jf, k.
Step = tuple[int, int, int, int]
#: For a socket that only sends.
RECEIVE_NOTHING: tuple[Step, ...] = ((0x06, 0, 0, 0),)


def filter_program(our_address: int, ports: Slice = WHOLE, begin: int = ETHERNET) -> list[Step]:
    """Accept IPv4 packets to us, without options, that are TCP to our source ports, or ICMP unreachable that quotes them.

    IP headers begin at byte `begin` of a frame: 0 where the link has no Ethernet header.
    """
    load_half, load_byte, load_word = 0x28, 0x30, 0x20
    equal, at_least, above, jump, give = 0x15, 0x35, 0x25, 0x05, 0x06
    ethertype = [(load_half, 0, 0, 12), (equal, 0, 15, 0x0800)] if begin else []
    return [
        *ethertype,
        (load_byte, 0, 0, begin),
        (equal, 0, 13, 0x45),
        (load_word, 0, 0, begin + 16),
        (equal, 0, 11, our_address),
        (load_byte, 0, 0, begin + 9),
        (equal, 5, 0, TCP),
        (equal, 0, 8, ICMP),
        (load_byte, 0, 0, begin + 20),
        (equal, 0, 6, ICMP_UNREACHABLE),
        (load_half, 0, 0, begin + 48),
        (jump, 0, 0, 1),
        (load_half, 0, 0, begin + 22),
        (at_least, 0, 2, ports.first),
        (above, 1, 0, ports.last),
        (give, 0, 0, 0xFFFF),
        (give, 0, 0, 0),
    ]


def attach_filter(sock: socket.socket, program: Sequence[Step]) -> ctypes.Array[ctypes.c_char]:
    """Set the filter; the returned buffer must live as long as the socket."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
    return code
