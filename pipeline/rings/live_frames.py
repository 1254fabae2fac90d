"""Live frames of BPF (the kernel's bpf/bpf_prog_run.rst) as a ring: the engine `xdp-live`.

The kernel makes the frames itself and runs a program of ours over each, in our own call. The program writes the probe and redirects
the frame to the interface's driver (`live_program`). No frame crosses to user space, and no socket buffer is made. Only probes go this
way: segments and answers go through packet rings.

The kernel also counts what the driver took. Every frame of a call was taken, was refused, or was never queued; if these do not add
up to what was filled, the sender ends with an error.

An XDP program that is run over and over is put into the kernel's dispatcher for that time, which waits for all processors: some 30 ms
a call. So ours is in the dispatcher for good: it is attached to the loopback link of a network namespace of our own, which is down.
That namespace, the programs and all else end with this process.
"""

import errno
import mmap
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline import logs
from pipeline.bpf import kernel
from pipeline.bpf.constant import constant_program
from pipeline.bpf.kernel import Descriptor, MapType, ProgramType, XdpAction, XdpMode
from pipeline.engines import Engine
from pipeline.errors import CensusError
from pipeline.guard import forbidden, namespaces, sockets
from pipeline.guard.link_state import link_state
from pipeline.rings import live_program, packet_ring, xdp
from pipeline.rings.filter import Step
from pipeline.rings.live_memory import LAYOUT, RECORDS, STATE, CallProgress, note_secret
from pipeline.rings.open import Rings
from pipeline.rings.receive import ETH_P_ALL, ReceiveRing
from pipeline.rings.transmit import BREATH_SECONDS, DOWN, NONE_REFUSED, PATIENCE_SECONDS, RefusedError
from pipeline.space.ranges import I64, U32
from pipeline.wire.cookie import Cookie, Secret, bake
from pipeline.wire.packet import FRAME, Sums, frame_type

#: Frames of which the kernel makes a batch; with more it was no faster.
BATCH = 64
#: A frame longer than the MTU by this much is queued for no driver: Ethernet header, VLAN tag, and a byte (linux/netdevice.h).
TOO_LONG = 14 + 4 + 1
#: The longest frame that fits the page of a live frame, with the kernel's own data (net/bpf/test_run.c).
LONGEST = 3200


def open_rings(interface: str, frame: bytes, program: Sequence[Step]) -> Rings:
    """Open a ring that sends probes by live frames; the rings of AF_XDP, with a warning, if the machine refuses."""
    try:
        if frame_type(len(frame)) is not FRAME:
            raise RefusedError(f"{interface}: its frames have no Ethernet header")
        probes = LiveRing(interface, frame)
    except RefusedError as error:
        logs.warning(f"no live frames on {error}; frames leave by AF_XDP")
        return xdp.open_rings(interface, frame, program)
    segments = packet_ring.segment_ring(sockets.packet_socket(interface, 0))
    return Rings(probes, segments, ReceiveRing(sockets.packet_socket(interface, ETH_P_ALL), program))


def unavailable() -> str:
    """Why this process can run no live frames; empty if it can. One is made, and dropped."""
    try:
        program = kernel.load(ProgramType.XDP, constant_program(XdpAction.DROP))
        kernel.run_live(program, bytes(FRAME.itemsize), 1, BATCH)
        _Shared()
        in_dispatcher(program)
    except OSError as error:
        return _why(error)
    return ""


def untaken(interface: str) -> str:
    """Why the driver of an interface takes no redirected frames; empty if it does, or if the interface is down."""
    try:
        failed = _tried(interface)
    except OSError as error:
        return _why(error)
    if failed in (errno.EMSGSIZE, errno.ENETDOWN, 0):
        return ""
    if failed == errno.EOPNOTSUPP:
        return f"the driver of {interface} takes no redirected frames"
    return f"the driver of {interface} takes no redirected frames: {os.strerror(failed)}"


def _why(error: OSError) -> str:
    """The reason in words; a kernel that does not know a command or flag of bpf(2) says no more than that it is invalid."""
    if error.errno in (errno.EINVAL, errno.E2BIG):
        return "BPF: this kernel has no live frames (Linux 5.18 has them)"
    return f"BPF: {error.strerror}"


class _Shared:
    """The memory that programs share with us, and the programs of both tracepoints, attached."""

    def __init__(self) -> None:
        self.map = kernel.create_map(MapType.ARRAY, value=LAYOUT.size, flags=kernel.MMAPABLE)
        self.memory = mmap.mmap(self.map.fileno(), LAYOUT.size)
        self.state = np.frombuffer(self.memory, STATE, 1)
        number = self.map.fileno()
        self._identify = kernel.load(ProgramType.RAW_TRACEPOINT, live_program.identify_program(number))
        self._links = [
            kernel.attach_tracepoint(kernel.load(ProgramType.RAW_TRACEPOINT, code), name)
            for name, code in (
                ("xdp_devmap_xmit", live_program.settled_program(number)),
                ("xdp_redirect_err", live_program.failed_program(number)),
            )
        ]
        self._caller = 0

    def identify(self) -> None:
        """Note that this thread calls."""
        if self._caller != threading.get_ident():
            kernel.run(self._identify)
            self._caller = threading.get_ident()

    def begin(self, count: int) -> None:
        """Give out the first `count` records."""
        self.identify()
        CallProgress(wanted=count, taken=self.progress.taken).write(self.memory)

    @property
    def progress(self) -> CallProgress:
        """How the call has gone so far."""
        return CallProgress.of(self.memory)

    def refused(self) -> I64:
        """The records of this call whose frames the driver did not take, ascending; all settled ones have been decided."""
        refusals = self.progress.refusals
        if not refusals:
            return NONE_REFUSED
        table = LAYOUT.column(self.memory, "refusal")[:refusals]
        ends, drops = table["end"].astype(np.int64), table["drops"].astype(np.int64)
        parts = [np.arange(end - drop, end) for end, drop in zip(ends.tolist(), drops.tolist(), strict=True)]
        return np.concatenate(parts)


class LiveRing:
    """Records of probes, which the kernel turns into frames (`ProbeRing`)."""

    engine = Engine.XDP_LIVE
    bakes = True

    def __init__(self, interface: str, frame: bytes) -> None:
        """Load all programs. Raises RefusedError, and GuardError where nothing may leave."""
        self._interface = interface
        try:
            self._shared = _Shared()
            devices = sockets.device_map(interface)
            code = live_program.probe_program(self._shared.map.fileno(), devices.fileno())
            self._program = kernel.load(ProgramType.XDP, code)
            self._ready = in_dispatcher(self._program)
        except OSError as error:
            raise RefusedError(f"{interface}: {_why(error)}") from None
        if reason := untaken(interface):
            raise RefusedError(f"{interface}: {reason}")
        memory = self._shared.memory
        self._addresses, self._ports, self._made = (LAYOUT.column(memory, name) for name in ("address", "port", "tag"))
        self.change_template(frame)
        self._secret: Secret | None = None
        self._tags = np.zeros(0, dtype=np.uint32)
        self.rejected = 0

    @property
    def taken(self) -> int:
        """Frames that the driver has taken, as the kernel counts them."""
        return self._shared.progress.taken

    @property
    def tags(self) -> U32:
        """The tags of the probes that were sent last, shape (n,)."""
        return self._tags

    def room(self, wanted: int) -> int:
        """How many of the wanted probes can be filled at once."""
        return min(wanted, RECORDS)

    def change_template(self, template: bytes) -> None:
        """Make all further probes of this template."""
        self._frame, sums = template, Sums.over(template)
        self._shared.state["ip_sum"], self._shared.state["tcp_sum"] = sums.ip, sums.tcp

    def fill(self, addresses: U32, ports: NDArray[np.uint16], secret: Secret, cookie: Cookie | None = None) -> None:
        """Note the next probes; the kernel makes their cookies. Raises GuardError for an address that gets nothing."""
        forbidden.refuse(addresses)
        self._addresses[: len(addresses)] = addresses
        self._ports[: len(ports)] = ports
        if secret is not self._secret:
            self._secret = secret
            note_secret(self._shared.state, secret)

    def send(self, count: int) -> I64:
        """Have the kernel send the `count` probes noted; which have not left, although tried again. Raises CensusError."""
        self._shared.state["seed"] = secrets.randbits(32)
        patience = time.monotonic() + PATIENCE_SECONDS
        waiting = refused = self._run(count)
        self._tags = self._made[:count].copy()
        while len(waiting) and -self._shared.progress.error not in DOWN and time.monotonic() < patience:
            time.sleep(BREATH_SECONDS)
            for column in (self._addresses, self._ports):
                column[: len(refused)] = column[refused]
            refused = self._run(len(waiting))
            self._tags[waiting] = self._made[: len(waiting)]
            waiting = waiting[refused]
        if len(waiting):
            self._bake(waiting, refused)
            self.rejected += len(waiting)
        return waiting

    def _run(self, count: int) -> I64:
        """Have the kernel send the first `count` records; which the driver has not taken."""
        shared, before = self._shared, self.taken
        shared.begin(count)
        while (now := shared.progress).next < count and not now.failed:
            try:
                kernel.run_live(self._program, self._frame, count - now.next, BATCH)
            except InterruptedError:
                continue  # a signal: its handler has run, and the rest is still to be sent
            except OSError as error:
                raise CensusError(f"interface {self._interface}: live frames have ended: {error.strerror}") from None
        self._require_accepted(-now.error)
        refused = shared.refused()
        if now.next < count:
            refused = np.concatenate([refused, np.arange(now.next, count)])
        if now.settled != now.next or now.taken - before + len(refused) != count:
            raise CensusError(
                f"interface {self._interface}: of {count} frames filled the kernel counts {now.taken - before} taken and "
                f"{len(refused)} refused; nobody knows what has left, so this range must run again: use --resume"
            )
        return refused

    def _require_accepted(self, error: int) -> None:
        """Raise CensusError if frames could not be queued for another reason than that the interface is down."""
        if error and error not in DOWN:
            raise CensusError(
                f"interface {self._interface} takes no more frames from BPF ({os.strerror(error)}); run again with --resume"
            )

    def _bake(self, waiting: I64, refused: I64) -> None:
        """Make the sequence numbers of probes that the kernel may never have seen."""
        if self._secret is not None:
            self._tags[waiting] = bake(self._secret, self._addresses[refused], self._ports[refused]).sequence


def in_dispatcher(program: Descriptor) -> tuple[Descriptor, Descriptor]:
    """Keep an XDP program in the kernel's dispatcher, as long as what is returned is open."""

    def attach() -> tuple[Descriptor, Descriptor]:
        here = Descriptor(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        return here, kernel.attach_xdp(program, socket.if_nametoindex("lo"), XdpMode.GENERIC)

    return namespaces.in_new(attach)


def _tried(interface: str) -> int:
    """Why a frame that is too long cannot be queued for an interface, as an errno: EMSGSIZE if nothing else hinders it.

    It never leaves: the kernel looks at the driver first, then at the frame's length. 0 if no frame can be too long.
    """
    length = link_state(interface).mtu + TOO_LONG
    if length > LONGEST:
        return 0
    shared, devices = _Shared(), sockets.device_map(interface)
    program = kernel.load(ProgramType.XDP, live_program.redirect_program(devices.fileno()))
    shared.begin(1)
    kernel.run_live(program, bytes(length), 1, BATCH)
    return -shared.progress.error
