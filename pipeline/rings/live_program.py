"""The programs that run in the kernel for engine `xdp-live`; `live_memory` is what they share with us.

*probe* runs once for each frame. It takes the next record, a target, writes the probe to it into the frame, and redirects the frame
to the interface. A frame is a page that an earlier run has written to, so every field that varies is written.

*settled* runs when the driver has been given up to 16 redirected frames, and notes how many it took. Those that it did not take are
the last of them. *failed* runs when a frame could not even be queued for the driver: it puts the record back, and no further one is
taken in this call. Tracepoints belong to the whole machine, so both look first whether our thread runs, which *identify* has noted.
"""

from pipeline.bpf.assembler import R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, Assembler, BpfRegister
from pipeline.bpf.halfsiphash import half_sip_hash
from pipeline.bpf.kernel import Helper, XdpAction
from pipeline.rings.live_memory import COLUMNS, LAYOUT, RECORDS, STATE, place
from pipeline.wire.packet import FRAME

#: Spreads the bits of a tag over the IP id (Weyl's sequence of the golden ratio, as in `space.permutation`).
MULTIPLIER = 0x9E3779B1


def probe_program(shared: int, devices: int) -> bytes:
    """The program of each frame; `shared` and `devices` are descriptors of the memory and of the map that has the interface."""
    program = Assembler()
    _require_room(program)
    program.map_value(R4, shared)
    _take_record(program)
    for register, column in ((R1, "address"), (R2, "port")):
        _column(program, register, R5, shared, column)
    program.load(4, R6, R4, _state("k0"))
    program.load(4, R7, R4, _state("k1"))
    half_sip_hash(program)
    program.load(4, R6, R4, _state("step"))
    program.alu("add", R0, R6, bits=32)
    _column(program, R9, R5, shared, "tag", stored=R0)
    _write_frame(program, R0)
    _redirect(program, devices)
    program.label("drop")
    program.alu("mov", R0, XdpAction.DROP.value)
    program.exit()
    return program.assemble()


def redirect_program(devices: int) -> bytes:
    """The program that redirects each frame as it is."""
    program = Assembler()
    _redirect(program, devices)
    return program.assemble()


def settled_program(shared: int) -> bytes:
    """The program of the tracepoint `xdp_devmap_xmit`: (from, to, sent, drops, error)."""
    program = Assembler()
    _require_our_thread(program, shared)
    program.load(4, R2, R6, 16)
    program.load(4, R3, R6, 24)
    _add(program, R7, "taken", R2)
    program.alu("add", R2, R3)
    _add(program, R7, "settled", R2)
    program.jump("eq", R3, 0, "end")
    program.load(8, R4, R7, _state("refusals"))
    program.alu("mov", R5, R4)
    program.alu("and", R5, RECORDS - 1)
    program.alu("lsh", R5, 3)
    program.map_value(R8, shared, LAYOUT.refusal)
    program.alu("add", R8, R5)
    program.load(8, R5, R7, _state("settled"))
    program.store(4, R8, 0, R5)
    program.store(4, R8, 4, R3)
    program.alu("add", R4, 1)
    program.store(8, R7, _state("refusals"), R4)
    _end(program)
    return program.assemble()


def failed_program(shared: int) -> bytes:
    """The program of the tracepoint `xdp_redirect_err`: (device, program, target, error, …)."""
    program = Assembler()
    _require_our_thread(program, shared)
    program.load(4, R2, R6, 24)
    program.alu("lsh", R2, 32)
    program.alu("arsh", R2, 32)
    program.store(8, R7, _state("error"), R2)
    program.alu("mov", R2, 1)
    _add(program, R7, "failed", R2)
    program.load(8, R2, R7, _state("next"))
    program.alu("sub", R2, 1)
    program.store(8, R7, _state("next"), R2)
    program.store(8, R7, _state("count"), R2)
    _end(program)
    return program.assemble()


def identify_program(shared: int) -> bytes:
    """The program that notes which thread runs it."""
    program = Assembler()
    program.call(Helper.GET_CURRENT_PID_TGID)
    program.map_value(R1, shared)
    program.store(8, R1, _state("thread"), R0)
    program.alu("mov", R0, 0)
    program.exit()
    return program.assemble()


def _redirect(program: Assembler, devices: int) -> None:
    """End with the frame on its way to the first device."""
    program.map(R1, devices)
    program.alu("mov", R2, 0)
    program.alu("mov", R3, XdpAction.DROP.value)
    program.call(Helper.REDIRECT_MAP)
    program.exit()


# --- parts of the program of each frame: R3 is the frame, R4 the state, R5 the index of the record ---


def _require_room(program: Assembler) -> None:
    """R3 = the frame, if it is as long as a probe."""
    program.load(4, R2, R1, 4)
    program.load(4, R3, R1, 0)
    program.alu("mov", R4, R3)
    program.alu("add", R4, FRAME.itemsize)
    program.jump("gt", R4, R2, "drop")


def _take_record(program: Assembler) -> None:
    """R5 = the index of the next record, if there is one."""
    program.load(8, R5, R4, _state("next"))
    program.load(8, R0, R4, _state("count"))
    program.jump("ge", R5, R0, "drop")
    program.alu("mov", R0, R5)
    program.alu("add", R0, 1)
    program.store(8, R4, _state("next"), R0)
    program.alu("and", R5, RECORDS - 1)


def _column(
    program: Assembler,
    value: BpfRegister,
    index: BpfRegister,
    shared: int,
    name: str,
    *,
    stored: BpfRegister | None = None,
) -> None:
    """Load a record's value of a column, or store it there; `value` is overwritten."""
    size = COLUMNS[name].itemsize
    program.map_value(value, shared, getattr(LAYOUT, name))
    program.alu("mov", R8, index)
    program.alu("lsh", R8, size.bit_length() - 1)
    program.alu("add", value, R8)
    if stored is None:
        program.load(size, value, value)
    else:
        program.store(size, value, 0, stored)


def _write_frame(program: Assembler, tag: BpfRegister) -> None:
    """Write the fields of the probe whose sequence number is here, as `wire.packet.fill` does. R1 is its address, R2 has its port."""
    sums, address, port, scratch = R6, R1, R2, R8
    program.alu("and", port, 0xFFFF)
    program.load(4, sums, R4, _state("tcp_sum"))
    program.load(4, R7, R4, _state("ip_sum"))
    _write(program, port, "destination_port", scratch)
    program.alu("add", sums, port)
    _source_port(program, tag, port)
    _write(program, port, "source_port", scratch)
    program.alu("add", sums, port)
    _write(program, tag, "sequence", scratch)
    _add_halves(program, sums, tag, scratch)
    _id(program, tag, port)
    _write(program, port, "id", scratch)
    program.alu("add", R7, port)
    _write(program, address, "destination", scratch)
    for total in (sums, R7):
        _add_halves(program, total, address, scratch)
    for total, name in ((sums, "tcp_checksum"), (R7, "ip_checksum")):
        for _ in range(2):
            program.alu("mov", scratch, total)
            program.alu("rsh", scratch, 16)
            program.alu("and", total, 0xFFFF)
            program.alu("add", total, scratch)
        program.alu("xor", total, 0xFFFF)
        _write(program, total, name, scratch)


def _source_port(program: Assembler, tag: BpfRegister, port: BpfRegister) -> None:
    """The source port: the upper bits of the sequence number and the turn (`wire.cookie.source_ports`)."""
    program.alu("mov", port, tag, bits=32)
    for operation, name in (("rsh", "shift"), ("add", "turn"), ("and", "mask"), ("add", "first")):
        program.load(4, R9, R4, _state(name))
        program.alu(operation, port, R9, bits=32)


def _id(program: Assembler, tag: BpfRegister, id_: BpfRegister) -> None:
    """An IP id: the tag and the call's seed, mixed."""
    program.load(4, id_, R4, _state("seed"))
    program.alu("add", id_, tag, bits=32)
    program.alu("mul", id_, MULTIPLIER, bits=32)
    program.alu("rsh", id_, 16, bits=32)


def _write(program: Assembler, value: BpfRegister, name: str, scratch: BpfRegister) -> None:
    """Write a field of the frame in network byte order."""
    size, offset = place(FRAME, name)
    program.alu("mov", scratch, value)
    program.big_endian(scratch, 8 * size)
    program.store(size, R3, offset, scratch)


def _add_halves(program: Assembler, total: BpfRegister, word: BpfRegister, scratch: BpfRegister) -> None:
    """Add both halves of a word of 32 bits."""
    program.alu("mov", scratch, word)
    program.alu("rsh", scratch, 16)
    program.alu("add", total, scratch)
    program.alu("mov", scratch, word)
    program.alu("and", scratch, 0xFFFF)
    program.alu("add", total, scratch)


# --- parts of the tracepoints' programs: R6 is the arguments, R7 the state ---


def _require_our_thread(program: Assembler, shared: int) -> None:
    """Keep the arguments, and go on only if the thread that calls is ours."""
    program.alu("mov", R6, R1)
    program.call(Helper.GET_CURRENT_PID_TGID)
    program.map_value(R7, shared)
    program.load(8, R1, R7, _state("thread"))
    program.jump("ne", R0, R1, "end")


def _add(program: Assembler, state: BpfRegister, name: str, amount: BpfRegister) -> None:
    program.load(8, R9, state, _state(name))
    program.alu("add", R9, amount)
    program.store(8, state, _state(name), R9)


def _end(program: Assembler) -> None:
    program.label("end")
    program.alu("mov", R0, 0)
    program.exit()


def _state(name: str) -> int:
    return place(STATE, name)[1]
