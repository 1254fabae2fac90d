"""The commands of bpf(2) that load, attach and run programs (linux/bpf.h). All raise OSError.

What is made here lives as long as its descriptor: when the process ends, however it ends, the kernel removes it. Nothing is pinned.
"""

import ctypes
import os
import platform
import struct
from enum import IntEnum, IntFlag

#: The number of bpf(2) by machine (asm/unistd.h); all newer machines have the generic one.
CALL_NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
MAP_CREATE, MAP_UPDATE, PROG_LOAD, PROG_TEST_RUN, RAW_TRACEPOINT_OPEN, LINK_CREATE = 0, 2, 5, 10, 17, 28
MMAPABLE = 1 << 10
LIVE_FRAMES = 1 << 1
XDP_ATTACH = 37
LICENSE = ctypes.create_string_buffer(b"GPL")
LOG_BYTES = 1 << 16
#: Bytes of a packet that a run may return.
MOST_OUTPUT = 4096


class MapType(IntEnum):
    """Kinds of maps."""

    ARRAY = 2
    DEVMAP = 14
    XSKMAP = 17


class ProgramType(IntEnum):
    """Kinds of programs."""

    XDP = 6
    RAW_TRACEPOINT = 17


class XdpMode(IntFlag):
    """How an XDP program is attached to an interface: before there is a socket buffer, by its driver, or whatever works."""

    ANY = 0
    GENERIC = 1 << 1
    DRIVER = 1 << 2


class XdpAction(IntEnum):
    """What an XDP program may return."""

    DROP = 1
    PASS = 2
    TX = 3
    REDIRECT = 4


class Helper(IntEnum):
    """Functions of the kernel that programs call."""

    KTIME_GET_NS = 5
    GET_CURRENT_PID_TGID = 14
    REDIRECT_MAP = 51


class Descriptor:
    """A file descriptor of a map, a program or a link. It is closed when nobody has it any more."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        """The number."""
        return self._number

    def close(self) -> None:
        """Close it; what it stands for ends with its last descriptor."""
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)

    def __del__(self) -> None:
        self.close()


def create_map(kind: MapType, *, value: int, entries: int = 1, flags: int = 0) -> Descriptor:
    """Make a map with keys of four bytes and values of `value` bytes."""
    return _made(MAP_CREATE, struct.pack("<IIIII", kind, 4, value, entries, flags))


def update(map_: Descriptor, key: int, value: bytes) -> None:
    """Set an entry of a map."""
    keys, values = ctypes.c_uint32(key), ctypes.create_string_buffer(value, len(value))
    addresses = ctypes.addressof(keys), ctypes.addressof(values)
    _call(MAP_UPDATE, struct.pack("<I4xQQQ", map_.fileno(), *addresses, 0))


def load(kind: ProgramType, code: bytes, *, attached: bool = False) -> Descriptor:
    """Have the kernel verify a program and translate it; one that is `attached` may become a link to an interface.

    The verifier's words are a note of the OSError.
    """
    body, log = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(LOG_BYTES)
    expected = XDP_ATTACH if attached else 0

    def attributes(level: int) -> bytes:
        about_log = (level, LOG_BYTES, ctypes.addressof(log)) if level else (0, 0, 0)
        return struct.pack(
            "<IIQQIIQII16sII", kind, len(code) // 8, ctypes.addressof(body), ctypes.addressof(LICENSE),
            *about_log, 0, 0, b"dicom_census", 0, expected,
        )  # fmt: skip

    try:
        return _made(PROG_LOAD, attributes(0))
    except PermissionError as error:
        if error.errno == 1:  # EPERM: no privilege, so the verifier says nothing
            raise
    except OSError:
        pass
    try:
        return _made(PROG_LOAD, attributes(1))
    except OSError as error:
        error.add_note(log.value.decode(errors="replace"))
        raise


def attach_xdp(program: Descriptor, interface: int, mode: XdpMode = XdpMode.ANY) -> Descriptor:
    """Attach an XDP program to the interface with this index, until the link is closed."""
    return _made(LINK_CREATE, struct.pack("<IIII", program.fileno(), interface, XDP_ATTACH, mode))


def attach_tracepoint(program: Descriptor, name: str) -> Descriptor:
    """Attach a program to a tracepoint of the kernel, until the link is closed."""
    text = ctypes.create_string_buffer(name.encode())
    return _made(RAW_TRACEPOINT_OPEN, struct.pack("<QI4x", ctypes.addressof(text), program.fileno()))


def run(program: Descriptor, packet: bytes = b"") -> tuple[int, bytes]:
    """Run a program once, an XDP program on a packet; its result, and the packet as it is then. Nothing leaves."""
    returned = ctypes.create_string_buffer(MOST_OUTPUT if packet else 0)
    answer = _run(program, packet, returned, repeat=1 if packet else 0)
    result, size = struct.unpack_from("<4xI4xI", answer)
    return result, returned.raw[:size]


def run_live(program: Descriptor, packet: bytes, repeat: int, batch: int) -> None:
    """Run an XDP program over `repeat` frames that hold a packet at first, in batches. Those that it redirects leave.

    Raises InterruptedError if a signal comes meanwhile; some have left then.
    """
    _run(program, packet, ctypes.create_string_buffer(0), repeat=repeat, flags=LIVE_FRAMES, batch=batch)


def _run(
    program: Descriptor,
    packet: bytes,
    returned: "ctypes.Array[ctypes.c_char]",
    *,
    repeat: int,
    flags: int = 0,
    batch: int = 0,
) -> bytes:
    """Run a program; the attributes as they are then."""
    given = ctypes.create_string_buffer(packet, len(packet))
    pointers = (ctypes.addressof(buffer) if len(buffer) else 0 for buffer in (given, returned))
    return _call(PROG_TEST_RUN, struct.pack(
        "<IIIIQQIIIIQQIII4x",
        program.fileno(), 0, len(given), len(returned), *pointers, repeat, 0, 0, 0, 0, 0, flags, 0, batch,
    ))  # fmt: skip


def _made(command: int, attributes: bytes) -> Descriptor:
    """The descriptor that a command returns."""
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    return Descriptor(_syscall(command, buffer))


def _call(command: int, attributes: bytes) -> bytes:
    """The attributes as a command leaves them."""
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    _syscall(command, buffer)
    return buffer.raw


#: Other threads run while a call lasts.
_LIBRARY = ctypes.CDLL(None, use_errno=True)


def _syscall(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    number = CALL_NUMBERS.get(platform.machine())
    if number is None:
        raise OSError(38, f"the number of bpf(2) on {platform.machine()} is not known")
    result = int(_LIBRARY.syscall(number, command, attributes, len(attributes)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
