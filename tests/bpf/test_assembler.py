"""The assembler: bytes as RFC 9669 has them, jumps that are counted right, and mistakes that are found at once."""

from collections.abc import Callable

import pytest

from pipeline.bpf.assembler import R0, R1, R2, R6, R10, Assembler

#: Instructions and their encodings, put together by hand from the tables of RFC 9669 §3 to §5.
ENCODED: list[tuple[Callable[[Assembler], None], str]] = [
    (lambda a: a.alu("mov", R0, 2), "b7 00 0000 02000000"),
    (lambda a: a.alu("mov", R1, R6), "bf 61 0000 00000000"),
    (lambda a: a.alu("add", R1, -1), "07 01 0000 ffffffff"),
    (lambda a: a.alu("xor", R2, R1, bits=32), "ac 12 0000 00000000"),
    (lambda a: a.alu("rsh", R2, 16, bits=32), "74 02 0000 10000000"),
    (lambda a: a.alu("lsh", R2, 32), "67 02 0000 20000000"),
    (lambda a: a.alu("arsh", R2, 32), "c7 02 0000 20000000"),
    (lambda a: a.alu("mul", R0, 0x9E3779B1, bits=32), "24 00 0000 b179379e"),
    (lambda a: a.alu("div", R0, 1000), "37 00 0000 e8030000"),
    (lambda a: a.big_endian(R0, 16), "dc 00 0000 10000000"),
    (lambda a: a.load(4, R2, R1, 16), "61 12 1000 00000000"),
    (lambda a: a.load(8, R2, R10, -8), "79 a2 f8ff 00000000"),
    (lambda a: a.store(2, R1, 4, R2), "6b 21 0400 00000000"),
    (lambda a: a.store(1, R1, 4, 7), "72 01 0400 07000000"),
    (lambda a: a.call(51), "85 00 0000 33000000"),
    (lambda a: a.exit(), "95 00 0000 00000000"),
    (lambda a: a.map(R1, 9), "18 11 0000 09000000 00 00 0000 00000000"),
    (lambda a: a.map_value(R1, 9, 64), "18 21 0000 09000000 00 00 0000 40000000"),
]


@pytest.mark.parametrize(("write", "encoding"), ENCODED)
def test_instructions(write: Callable[[Assembler], None], encoding: str) -> None:
    """Each kind of instruction has the encoding of RFC 9669."""
    program = Assembler()
    write(program)
    assert program.assemble() == bytes.fromhex(encoding.replace(" ", ""))


def test_jumps() -> None:
    """A jump counts the instructions after it, a 64-bit load as two; it may go back."""
    program = Assembler()
    program.label("begin")
    program.map(R1, 3)
    program.jump("eq", R1, 0, "end")
    program.jump("lt", R1, R2, "begin", bits=32)
    program.goto("end")
    program.exit()
    program.label("end")
    program.exit()
    offsets = [int.from_bytes(program.assemble()[at + 2 : at + 4], "little", signed=True) for at in range(16, 40, 8)]
    assert offsets == [3, -4, 1]
    assert program.assemble()[16::8][:3] == bytes([0x15, 0xAE, 0x05])


def test_mistakes() -> None:
    """A label that is nowhere or twice, and a value of more than 32 bits, are errors of whoever writes the program."""
    program = Assembler()
    program.goto("nowhere")
    with pytest.raises(KeyError, match="nowhere"):
        program.assemble()
    program.label("here")
    with pytest.raises(ValueError, match="'here' is there already"):
        program.label("here")
    for value in (1 << 32, -(1 << 31) - 1):
        with pytest.raises(ValueError, match="more than 32 bits"):
            program.alu("mov", R0, value)
