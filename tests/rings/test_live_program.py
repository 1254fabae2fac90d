"""The programs of engine `xdp-live`, run by this kernel without sending: each frame is byte by byte what `wire.packet` makes."""

import mmap
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.bpf import kernel
from pipeline.bpf.kernel import Descriptor, MapType, ProgramType, XdpAction
from pipeline.rings.live_memory import LAYOUT, RECORDS, STATE, note_secret
from pipeline.rings.live_program import identify_program, probe_program
from pipeline.wire import packet
from pipeline.wire.cookie import FIRST_SOURCE_PORT, ProbeKind, Secret, Slice, bake
from pipeline.wire.packet import FRAME, Link, Sums

FRAME_OF_PROBES = packet.template(Link(bytes(range(6)), bytes(range(6, 12)), 0xC6120001))
U32, U16 = st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)


class Loaded(NamedTuple):
    """The program, and what it shares with us."""

    program: Descriptor
    memory: mmap.mmap
    state: NDArray[np.void]

    def write(self, secret: Secret, address: int, port: int, *, record: int = 0, count: int = 1) -> tuple[int, bytes]:
        """The action and the frame of one record."""
        state, sums = self.state, Sums.over(FRAME_OF_PROBES)
        state["next"], state["count"] = record, record + count
        note_secret(state, secret)
        state["ip_sum"], state["tcp_sum"] = sums.ip, sums.tcp
        LAYOUT.column(self.memory, "address")[record % RECORDS] = address
        LAYOUT.column(self.memory, "port")[record % RECORDS] = port
        return kernel.run(self.program, FRAME_OF_PROBES)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """The program of each frame; its map of devices has none."""
    shared = kernel.create_map(MapType.ARRAY, value=LAYOUT.size, flags=kernel.MMAPABLE)
    memory = mmap.mmap(shared.fileno(), LAYOUT.size)
    devices = kernel.create_map(MapType.DEVMAP, value=4)
    program = kernel.load(ProgramType.XDP, probe_program(shared.fileno(), devices.fileno()))
    return Loaded(program, memory, np.frombuffer(memory, STATE, 1))


def expected(secret: Secret, address: int, port: int, id_: int, template: bytes = FRAME_OF_PROBES) -> bytes:
    """What the reference makes of a template."""
    frame = np.frombuffer(template, FRAME).copy()
    columns = np.array([address], np.uint32), np.array([port], np.uint16)
    packet.fill(frame, Sums.over(template), *columns, bake(secret, *columns), np.array([id_], np.uint16))
    return frame.tobytes()


@settings(max_examples=100)
@given(st.tuples(U32, U32), U32, U16, U32, st.integers(8, 14), U16, st.sampled_from(ProbeKind))
def test_each_frame_is_that_of_the_reference(
    loaded: Loaded, key: tuple[int, int], address: int, port: int, seed: int, bits: int, turn: int, kind: ProbeKind
) -> None:
    """For every key, slice of source ports, kind and target: cookie, checksums and all other bytes are equal, whatever the IP id."""
    secret = Secret(*key, Slice(FIRST_SOURCE_PORT, bits, turn % (1 << bits)), kind)
    loaded.state["seed"] = seed
    _, frame = loaded.write(secret, address, port)
    id_ = int.from_bytes(frame[18:20], "big")
    assert frame == expected(secret, address, port, id_)
    tag = int(LAYOUT.column(loaded.memory, "tag")[0])
    assert tag == int(bake(secret, np.array([address]), np.array([port])).sequence[0])


def test_records_are_taken_in_turn(loaded: Loaded) -> None:
    """Each run takes the next record; after the last one frames are dropped unchanged."""
    secret = Secret(1, 2)
    for record in (0, RECORDS - 1):
        _, frame = loaded.write(secret, 0x0B000000 + record, 104, record=record)
        assert int.from_bytes(frame[30:34], "big") == 0x0B000000 + record
        assert int(loaded.state["next"][0]) == record + 1
    assert kernel.run(loaded.program, FRAME_OF_PROBES) == (XdpAction.DROP, FRAME_OF_PROBES)
    short = FRAME_OF_PROBES[:-1]
    loaded.write(secret, 0x0B000000, 104, count=2)
    assert kernel.run(loaded.program, short) == (XdpAction.DROP, short)


def test_ids_look_random(loaded: Loaded) -> None:
    """Of a thousand probes nearly all have an IP id of their own, and another seed gives others."""
    seen: list[set[int]] = []
    for seed in (1, 2):
        loaded.state["seed"] = seed
        frames = [loaded.write(Secret(1, 2), address, 104)[1] for address in range(1000)]
        seen.append({int.from_bytes(frame[18:20], "big") for frame in frames})
    assert all(len(ids) > 980 for ids in seen)
    assert len(seen[0] & seen[1]) < 40


def test_a_thread_is_known_again() -> None:
    """The same thread is noted in the same way each time."""
    shared = kernel.create_map(MapType.ARRAY, value=LAYOUT.size, flags=kernel.MMAPABLE)
    state = np.frombuffer(mmap.mmap(shared.fileno(), LAYOUT.size), STATE, 1)
    program = kernel.load(ProgramType.RAW_TRACEPOINT, identify_program(shared.fileno()))
    noted = []
    for _ in range(2):
        state["thread"] = 0
        kernel.run(program)
        noted.append(int(state["thread"][0]))
    assert noted[0] == noted[1] != 0
