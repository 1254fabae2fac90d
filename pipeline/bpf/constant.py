"""The shortest XDP program: the same action for every frame."""

from pipeline.bpf.assembler import R0, Assembler
from pipeline.bpf.kernel import XdpAction


def constant_program(action: XdpAction) -> bytes:
    """A program that does the same with every frame."""
    program = Assembler()
    program.alu("mov", R0, action.value)
    program.exit()
    return program.assemble()
