"""HalfSipHash-2-4 in BPF instructions, for the six bytes of a target: what `wire.cookie.halfsiphash` computes. Pure."""

from pipeline.bpf.assembler import R0, R1, R2, R6, R7, R8, R9, Assembler, BpfRegister

#: Rounds for each block, and at the end.
BLOCK_ROUNDS, LAST_ROUNDS = 2, 4
#: What the reference code begins v2 and v3 with, and adds to v2 before the last rounds.
TYPE_2, TYPE_3, FINISHER = 0x6C796765, 0x74656462, 0xFF
#: Bytes of a message, which stand in the upper byte of its last block.
LENGTH = 6


def half_sip_hash(program: Assembler) -> None:
    """Compute R0 = tag of the message R1 (a little-endian word) and R2 (a half), with R6, R7 as key; R2, R6 to R9 are overwritten."""
    v0, v1, v2, v3 = R6, R7, R8, R9
    program.alu("or", R2, LENGTH << 24, bits=32)
    for target, source, constant in ((v2, v0, TYPE_2), (v3, v1, TYPE_3)):
        program.alu("mov", target, source, bits=32)
        program.alu("xor", target, constant, bits=32)
    for block in (R1, R2):
        program.alu("xor", v3, block, bits=32)
        _rounds(program, BLOCK_ROUNDS)
        program.alu("xor", v0, block, bits=32)
    program.alu("xor", v2, FINISHER, bits=32)
    _rounds(program, LAST_ROUNDS)
    program.alu("mov", R0, v1, bits=32)
    program.alu("xor", R0, v3, bits=32)


def _rounds(program: Assembler, count: int) -> None:
    """Append HalfSipRounds over R6 to R9."""
    v0, v1, v2, v3 = R6, R7, R8, R9
    for _ in range(count):
        for a, b, bits, turned in ((v0, v1, 5, True), (v2, v3, 8, False), (v0, v3, 7, False), (v2, v1, 13, True)):
            program.alu("add", a, b, bits=32)
            _rotate(program, b, bits)
            program.alu("xor", b, a, bits=32)
            if turned:
                _rotate(program, a, 16)


def _rotate(program: Assembler, word: BpfRegister, bits: int) -> None:
    """Rotate a word to the left, with R0 as a spare register."""
    program.alu("mov", R0, word, bits=32)
    program.alu("lsh", word, bits, bits=32)
    program.alu("rsh", R0, 32 - bits, bits=32)
    program.alu("or", word, R0, bits=32)
