"""Frames received by AF_XDP and not read: what another way to receive would cost (`benchmarks.frames`).

A program at the interface redirects every frame to the socket, before there is a socket buffer, and the kernel copies it into our
memory. So nothing else of the machine sees the frame: no nftables, no packet socket, no TCP.
"""

import ctypes
import mmap
import os
import socket
import struct

import numpy as np

from pipeline.bpf import kernel
from pipeline.bpf.assembler import R1, R2, R3, Assembler
from pipeline.bpf.kernel import Helper, MapType, ProgramType, XdpAction
from pipeline.guard import sockets
from pipeline.rings.xdp import CHUNK, DESCRIPTOR, SOL_XDP, XDP_COPY, XDP_MMAP_OFFSETS, XDP_UMEM_REG, Ring

XDP_RX_RING, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING = 2, 5, 6  # linux/if_xdp.h
RX_PAGES, FILL_PAGES = 0, 0x100000000
#: Entries of each ring: a place for each frame of the memory.
ENTRIES = 16384


class BlindSocket:
    """An AF_XDP socket of an interface's first queue, whose frames are freed unread."""

    def __init__(self, interface: str) -> None:
        self._socket = sockets.xdp_socket(interface)
        self._memory = mmap.mmap(-1, ENTRIES * CHUNK)
        address = np.frombuffer(self._memory, np.uint8).ctypes.data
        registered = struct.pack("<QQIIII", address, len(self._memory), CHUNK, 0, 0, 0)
        self._socket.setsockopt(SOL_XDP, XDP_UMEM_REG, registered)
        for option in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING):
            self._socket.setsockopt(SOL_XDP, option, ENTRIES)
        offsets = struct.unpack("<16Q", self._socket.getsockopt(SOL_XDP, XDP_MMAP_OFFSETS, 128))
        self._received = Ring(self._socket, offsets[0:4], RX_PAGES, DESCRIPTOR, ENTRIES)
        self._free = Ring(self._socket, offsets[8:12], FILL_PAGES, np.dtype("<u8"), ENTRIES)
        self._free.entries[:] = np.arange(ENTRIES, dtype=np.uint64) * np.uint64(CHUNK)
        self._free.producer += np.uint32(ENTRIES)
        index = socket.if_nametoindex(interface)
        bound = struct.pack("<HHIII", sockets.AF_XDP, XDP_COPY, index, 0, 0)
        if ctypes.CDLL(None, use_errno=True).bind(self._socket.fileno(), bound, len(bound)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._map = kernel.create_map(MapType.XSKMAP, value=4)
        kernel.update(self._map, 0, struct.pack("=I", self._socket.fileno()))
        loaded = kernel.load(ProgramType.XDP, _to_socket(self._map.fileno()), attached=True)
        self._link = kernel.attach_xdp(loaded, index)

    def skip(self) -> int:
        """Free the waiting frames; return their number."""
        if count := self._received.waiting:
            addresses = self._received.entries["address"][self._received.following(self._received.consumer, count)]
            self._received.consumer += np.uint32(count)
            self._free.entries[self._free.following(self._free.producer, count)] = addresses
            self._free.producer += np.uint32(count)
        return count


def _to_socket(sockets_: int) -> bytes:
    """The program that redirects each frame to the first socket of a map."""
    program = Assembler()
    program.map(R1, sockets_)
    program.alu("mov", R2, 0)
    program.alu("mov", R3, XdpAction.PASS.value)
    program.call(Helper.REDIRECT_MAP)
    program.exit()
    return program.assemble()
