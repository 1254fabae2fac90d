"""An assembler for BPF (RFC 9669): instructions by name, jumps to labels, bytecode out. Pure.

program = Assembler()
program.alu("mov", R0, 2)
program.jump("eq", R1, 0, "end")
program.alu("add", R0, R1)
program.label("end")
program.exit()
code = program.assemble()
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple


class BpfRegister(IntEnum):
    """R0 is a result, R1 to R5 are arguments that a call overwrites, R6 to R9 survive it, R10 is the frame pointer."""

    R0 = 0
    R1 = 1
    R2 = 2
    R3 = 3
    R4 = 4
    R5 = 5
    R6 = 6
    R7 = 7
    R8 = 8
    R9 = 9
    R10 = 10


R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = BpfRegister

#: A register, or an immediate value.
Source = BpfRegister | int

#: Instruction classes (RFC 9669 §3.2) of 64-bit and of 32-bit operations.
ALU, JMP = {64: 0x07, 32: 0x04}, {64: 0x05, 32: 0x06}
LOAD, STORE_IMMEDIATE, STORE = 0x61, 0x62, 0x63
BY_REGISTER, TO_BIG_ENDIAN = 0x08, 0xDC
LOAD_64, GOTO, CALL, EXIT = 0x18, 0x05, 0x85, 0x95
#: What the source register of a 64-bit load says of its immediate value: a map, or the value of a map's only entry.
MAP, MAP_VALUE = BpfRegister(1), BpfRegister(2)
OPERATIONS = {
    "add": 0x00, "sub": 0x10, "mul": 0x20, "div": 0x30, "or": 0x40, "and": 0x50,
    "lsh": 0x60, "rsh": 0x70, "xor": 0xA0, "mov": 0xB0, "arsh": 0xC0,
}  # fmt: skip
CONDITIONS = {"eq": 0x10, "gt": 0x20, "ge": 0x30, "ne": 0x50, "lt": 0xA0, "le": 0xB0}
#: By the number of bytes.
SIZES = {4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18}
INSTRUCTION = struct.Struct("<BBhI")


class _Instruction(NamedTuple):
    opcode: int
    target: BpfRegister = R0
    source: BpfRegister = R0
    offset: int = 0
    immediate: int = 0
    jumps_to: str = ""


@dataclass(slots=True)
class Assembler:
    """Collects instructions. Values are of 64 bits unless `bits` says 32: then the upper half of the result is zero."""

    _instructions: list[_Instruction] = field(default_factory=list)
    _labels: dict[str, int] = field(default_factory=dict)

    def alu(self, operation: str, target: BpfRegister, source: Source, *, bits: int = 64) -> None:
        """Compute target = target `operation` source; `mov` copies the source."""
        self._with_source(ALU[bits] | OPERATIONS[operation], target, source)

    def big_endian(self, target: BpfRegister, bits: int) -> None:
        """Turn the lower 16, 32 or 64 bits into network byte order."""
        self._add(_Instruction(TO_BIG_ENDIAN, target, immediate=bits))

    def load(self, size: int, target: BpfRegister, base: BpfRegister, offset: int = 0) -> None:
        """Load `size` bytes from memory."""
        self._add(_Instruction(LOAD | SIZES[size], target, base, offset))

    def store(self, size: int, base: BpfRegister, offset: int, source: Source) -> None:
        """Store the lower `size` bytes to memory."""
        if isinstance(source, BpfRegister):
            self._add(_Instruction(STORE | SIZES[size], base, source, offset))
        else:
            self._add(_Instruction(STORE_IMMEDIATE | SIZES[size], base, R0, offset, source))

    def jump(self, condition: str, target: BpfRegister, source: Source, label: str, *, bits: int = 64) -> None:
        """Jump to a label if target `condition` source, as unsigned numbers."""
        self._with_source(JMP[bits] | CONDITIONS[condition], target, source, label)

    def goto(self, label: str) -> None:
        """Jump to a label."""
        self._add(_Instruction(GOTO, jumps_to=label))

    def label(self, name: str) -> None:
        """Name the next instruction."""
        if name in self._labels:
            raise ValueError(f"label {name!r} is there already")
        self._labels[name] = len(self._instructions)

    def call(self, helper: int) -> None:
        """Call a helper of the kernel."""
        self._add(_Instruction(CALL, immediate=helper))

    def exit(self) -> None:
        """End; the result is R0."""
        self._add(_Instruction(EXIT))

    def map(self, target: BpfRegister, descriptor: int) -> None:
        """Load a map, for a helper."""
        self._load_64(target, MAP, descriptor, 0)

    def map_value(self, target: BpfRegister, descriptor: int, offset: int = 0) -> None:
        """Load the address of a byte in the value of an array map that has one entry."""
        self._load_64(target, MAP_VALUE, descriptor, offset)

    def assemble(self) -> bytes:
        """The bytecode. Raises KeyError for a label that is nowhere."""
        return b"".join(
            INSTRUCTION.pack(
                one.opcode,
                one.target | one.source << 4,
                self._labels[one.jumps_to] - at - 1 if one.jumps_to else one.offset,
                one.immediate & 0xFFFFFFFF,
            )
            for at, one in enumerate(self._instructions)
        )

    def _with_source(self, opcode: int, target: BpfRegister, source: Source, label: str = "") -> None:
        if isinstance(source, BpfRegister):
            self._add(_Instruction(opcode | BY_REGISTER, target, source, jumps_to=label))
        else:
            self._add(_Instruction(opcode, target, immediate=source, jumps_to=label))

    def _load_64(self, target: BpfRegister, kind: BpfRegister, lower: int, upper: int) -> None:
        self._add(_Instruction(LOAD_64, target, kind, immediate=lower))
        self._add(_Instruction(0, immediate=upper))

    def _add(self, instruction: _Instruction) -> None:
        if not -(1 << 31) <= instruction.immediate < 1 << 32:
            raise ValueError(f"{instruction.immediate} has more than 32 bits")
        self._instructions.append(instruction)
