"""HalfSipHash in BPF, run by this kernel: the published vector, and the same tags as the vectorised one."""

import struct
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bpf import kernel
from pipeline.bpf.assembler import R0, R1, R2, R3, R6, R7, Assembler
from pipeline.bpf.halfsiphash import half_sip_hash
from pipeline.bpf.kernel import Descriptor, ProgramType
from pipeline.wire.cookie import LENGTH, Secret, halfsiphash
from tests.wire.test_cookie import KEY, PUBLISHED

U32 = st.integers(0, 2**32 - 1)


@cache
def hashing() -> Descriptor:
    """An XDP program whose result is the tag of what a packet begins with: key, address and port."""
    made = Assembler()
    made.load(4, R2, R1, 4)
    made.load(4, R3, R1, 0)
    made.alu("mov", R1, R3)
    made.alu("add", R1, 16)
    made.alu("mov", R0, 0)
    made.jump("gt", R1, R2, "end")
    for register, offset in ((R6, 0), (R7, 4), (R1, 8), (R2, 12)):
        made.load(4, register, R3, offset)
    half_sip_hash(made)
    made.label("end")
    made.exit()
    return kernel.load(ProgramType.XDP, made.assemble())


def tag(key: bytes, address: int, port: int) -> int:
    """What the kernel computes."""
    return kernel.run(hashing(), struct.pack("<8sII44x", key, address, port))[0]


def test_published_vector() -> None:
    """The kernel computes the six-byte vector that the authors publish."""
    assert tag(KEY, 0x03020100, 0x0504) == PUBLISHED[LENGTH]


@settings(max_examples=100)
@given(U32, U32, U32, st.integers(0, 65535))
def test_the_same_as_the_vectorised_one(k0: int, k1: int, address: int, port: int) -> None:
    """For every key and target the kernel's tag is that of `wire.cookie`."""
    (expected,) = halfsiphash(Secret(k0, k1), np.array([address], np.uint32), np.array([port], np.uint32))
    assert tag(struct.pack("<II", k0, k1), address, port) == int(expected)
