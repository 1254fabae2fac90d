"""The commands of bpf(2), on this kernel: maps, programs that run, links that end with their descriptor."""

import errno
import mmap
import os
import socket
import struct

import pytest

from pipeline.bpf import kernel
from pipeline.bpf.assembler import R0, R1, R2, R3, Assembler
from pipeline.bpf.constant import constant_program
from pipeline.bpf.kernel import Descriptor, Helper, MapType, ProgramType, XdpAction, XdpMode
from pipeline.guard import namespaces


def counter(shared: Descriptor) -> bytes:
    """An XDP program that counts its runs in a map, writes 0xAB over a packet's first byte, and drops it."""
    made = Assembler()
    made.load(4, R2, R1, 4)
    made.load(4, R1, R1, 0)
    made.alu("mov", R3, R1)
    made.alu("add", R3, 14)
    made.jump("gt", R3, R2, "end")
    made.store(1, R1, 0, 0xAB)
    made.map_value(R1, shared.fileno(), 8)
    made.load(8, R2, R1, 0)
    made.alu("add", R2, 1)
    made.store(8, R1, 0, R2)
    made.label("end")
    made.alu("mov", R0, XdpAction.DROP.value)
    made.exit()
    return made.assemble()


def test_a_program_runs_on_a_packet_and_on_live_frames() -> None:
    """A run returns the result and the packet as changed; a live run goes over as many frames as asked for; both see the map."""
    shared = kernel.create_map(MapType.ARRAY, value=16, flags=kernel.MMAPABLE)
    memory = mmap.mmap(shared.fileno(), mmap.PAGESIZE)
    loaded = kernel.load(ProgramType.XDP, counter(shared))
    assert kernel.run(loaded, bytes(60)) == (XdpAction.DROP, b"\xab" + bytes(59))
    kernel.run_live(loaded, bytes(60), 130, 64)
    assert struct.unpack_from("<QQ", memory) == (0, 131)


def test_what_the_verifier_says_is_a_note() -> None:
    """A program that the kernel does not accept is an OSError with the verifier's words."""
    made = Assembler()
    made.exit()
    with pytest.raises(OSError) as refused:
        kernel.load(ProgramType.XDP, made.assemble())
    assert "R0 !read_ok" in refused.value.__notes__[0]


def test_an_entry_of_a_map() -> None:
    """An entry is set as given; one beyond the end is an error."""
    shared = kernel.create_map(MapType.ARRAY, value=4, entries=1, flags=kernel.MMAPABLE)
    kernel.update(shared, 0, b"\x01\x02\x03\x04")
    assert mmap.mmap(shared.fileno(), mmap.PAGESIZE)[:4] == b"\x01\x02\x03\x04"
    with pytest.raises(OSError) as refused:
        kernel.update(shared, 1, bytes(4))
    assert refused.value.errno == errno.E2BIG


def test_links_end_with_their_descriptor() -> None:
    """An interface has one program at a time; when the link is closed, or forgotten, it has none."""

    def attached() -> None:
        index, loaded = (
            socket.if_nametoindex("lo"),
            kernel.load(ProgramType.XDP, constant_program(XdpAction.PASS), attached=True),
        )
        first = kernel.attach_xdp(loaded, index, XdpMode.GENERIC)
        with pytest.raises(OSError):
            kernel.attach_xdp(loaded, index, XdpMode.GENERIC)
        first.close()
        second = kernel.attach_xdp(loaded, index, XdpMode.GENERIC)
        del second
        kernel.attach_xdp(loaded, index, XdpMode.GENERIC).close()

    namespaces.in_new(attached)


def test_a_tracepoint() -> None:
    """A program runs at a tracepoint from when it is attached until its link is closed."""
    shared = kernel.create_map(MapType.ARRAY, value=8, flags=kernel.MMAPABLE)
    memory = mmap.mmap(shared.fileno(), mmap.PAGESIZE)
    made = Assembler()
    made.call(Helper.GET_CURRENT_PID_TGID)
    made.map_value(R1, shared.fileno())
    made.store(8, R1, 0, R0)
    made.alu("mov", R0, 0)
    made.exit()
    link = kernel.attach_tracepoint(kernel.load(ProgramType.RAW_TRACEPOINT, made.assemble()), "sys_enter")
    os.getppid()
    link.close()
    assert struct.unpack_from("<Q", memory)[0]


def test_a_machine_whose_call_has_no_known_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine of another kind every command is an error that names it."""
    monkeypatch.setattr(kernel.platform, "machine", lambda: "vax")
    with pytest.raises(OSError, match=r"the number of bpf\(2\) on vax is not known"):
        kernel.create_map(MapType.ARRAY, value=4)
