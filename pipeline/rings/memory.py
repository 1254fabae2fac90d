"""The memory of a packet ring (packet(7), TPACKET_V2), which the kernel shares with us."""

import mmap
import socket
import struct

SOL_PACKET = 263
PACKET_VERSION = 10
TPACKET_V2 = 1
BLOCK = 1 << 16


def map_ring(sock: socket.socket, option: int, frame: int, frames: int) -> mmap.mmap:
    """Make a socket's ring of `frames` frames, each of `frame` bytes, and map its memory."""
    blocks = frame * frames // BLOCK
    sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
    sock.setsockopt(SOL_PACKET, option, struct.pack("IIII", BLOCK, blocks, frame, frames))
    return mmap.mmap(sock.fileno(), BLOCK * blocks)
