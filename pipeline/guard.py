"""The guard below all senders: every socket that leaves this program is made here, or not at all.

Data-plane sockets are made in the network namespace of the vantage (`at_vantage`), and what is asked of the network for them
is asked there. The process that makes them stays where it is: its lake, its channels and its server may be elsewhere.

A testbed is *closed* if each of its namespaces holds only loopback and ends of veth pairs both ends of which belong to it,
and none forwards. Then no packet can leave, whatever is sent. This is proved from the kernel's facts, each time anew; the
manifest that `census testbed run` writes only says which namespaces and links to expect.
Linux has other ways out of a namespace than a link (a bound socket inherited from outside); nothing here passes one on.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.config import IdentitySection
from pipeline.errors import CensusError, GuardError
from pipeline.network import Link, Namespace, facts, inode, inside

#: Set to anything: refuse every packet outside of a closed testbed and loopback, whatever the configuration says.
ONLY_TESTBED = "CENSUS_ONLY_TESTBED"
#: The path of the manifest of the testbed that this process runs in.
TESTBED = "CENSUS_TESTBED"
#: The network namespace that probes leave from, as a file (`/run/netns/NAME`) or a process that lives in it; our own if not set.
VANTAGE = "CENSUS_VANTAGE"
#: Seconds for which one proof is believed: sockets are made by the thousand, links are not.
PROOF_LASTS = 1.0
AF_XDP = 44  # linux/socket.h; Python knows no name for it
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): one port serves connections to many destinations
#: First byte of every loopback address (RFC 6890 §2.2.2: 127.0.0.0/8).
LOOPBACK = 127
#: The identity without which nothing is sent to anyone. The AE title has a default, so it is only missed with another.
REQUIRED_IDENTITY = ("contact", "url", "authorised_by")

T = TypeVar("T")


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the manifest: unknown keys are refused."""


class Holder(Fact, frozen=True):
    """The process that keeps a namespace alive; its start time tells it from a later one with the same pid."""

    pid: int
    start_time: int
    namespace: int


class End(Fact, frozen=True):
    """One end of a veth pair."""

    namespace: int
    name: str
    index: int


class Manifest(Fact, frozen=True):
    """What a testbed consists of, written by the run that made it."""

    boot_id: str
    holders: tuple[Holder, ...]
    ends: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """What is there now: this boot, and those of the manifest's holders that live."""

    boot_id: str
    holders: frozenset[Holder]


@dataclass(frozen=True, slots=True)
class Proof:
    """When closedness was last judged, for which manifest and namespace, and why it is not closed."""

    at: float
    subject: tuple[str, int]
    reasons: tuple[str, ...]


def leaks(namespaces: Sequence[Namespace], manifest: Manifest, present: Present) -> list[str]:
    """Return every reason why these namespaces are not the closed testbed of this manifest; none if they are."""
    listed = {holder.namespace for holder in manifest.holders}
    ends = {(end.namespace, end.index): end.name for end in manifest.ends}
    seen = {namespace.inode for namespace in namespaces}
    reasons = list(_of_another_run(manifest, present))
    reasons += [f"namespace {missing} is listed but was not looked at" for missing in sorted(listed - seen)]
    reasons += [f"namespace {foreign} is not part of the testbed" for foreign in sorted(seen - listed)]
    for namespace in namespaces:
        if namespace.forwarding:
            reasons.append(f"namespace {namespace.inode} forwards packets")
        open_links = (_why_open(namespace, link, ends) for link in namespace.links)
        reasons += [reason for reason in open_links if reason]
    return reasons


def at_vantage(work: Callable[[], T]) -> T:
    """Do `work` in the vantage's network namespace: sockets that it makes stay there, this thread does not move."""
    named = os.environ.get(VANTAGE)
    if not named:
        return work()
    place = int(named) if named.isdecimal() else Path(named)
    try:
        return work() if inode() == inode(place) else inside(place, work)
    except FileNotFoundError as error:
        raise CensusError(f"{VANTAGE}={named}: there is no such network namespace ({error})") from None


def in_closed_testbed() -> bool:
    """Tell whether the network namespace of the vantage is part of a testbed that is closed right now."""
    return not at_vantage(_why_not)


def require_authorised(identity: IdentitySection) -> None:
    """Raise GuardError unless this process may send: into a closed testbed, or with a full identity."""
    reasons = at_vantage(_why_not)
    if not reasons:
        return
    if os.environ.get(ONLY_TESTBED):
        raise GuardError(_refusal("sending", reasons))
    missing = [key for key in REQUIRED_IDENTITY if not getattr(identity, key)]
    if missing and identity.ae_title == IdentitySection().ae_title:
        missing.insert(0, "ae_title")
    if missing:
        raise GuardError(
            f"[identity] lacks {', '.join(missing)}: nothing is sent outside of a testbed unless it says who measures, "
            "where the measured can read about it and who authorised it; fill them in, or use `census testbed run`"
        )


def packet_socket(interface: str, protocol: int) -> socket.socket:
    """Make a raw packet socket bound to an interface of the vantage."""
    return at_vantage(lambda: _packet_socket(interface, protocol))


def _packet_socket(interface: str, protocol: int) -> socket.socket:
    if interface != "lo":
        _refuse_outside(f"a packet socket on {interface}")
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        made.bind((interface, protocol))
    except OSError as error:
        made.close()
        raise CensusError(
            f"no packet socket on {interface}: {error.strerror}; `ip link` lists the interfaces"
        ) from None
    return made


def xdp_socket(interface: str) -> socket.socket:
    """Make an AF_XDP socket that is meant for an interface of the vantage; binding it is the caller's. Raises OSError."""
    return at_vantage(lambda: _xdp_socket(interface))


def _xdp_socket(interface: str) -> socket.socket:
    if interface != "lo":
        _refuse_outside(f"an AF_XDP socket on {interface}")
    return socket.socket(AF_XDP, socket.SOCK_RAW, 0)


def tcp_socket(destination: str, *, source: str = "", interface: str = "") -> socket.socket:
    """Make a non-blocking TCP socket that is meant for this destination; connecting it is the caller's.

    It leaves from a source address and through an interface, where they are given; its port is chosen when it connects.
    """
    return at_vantage(lambda: _tcp_socket(destination, source, interface))


def _tcp_socket(destination: str, source: str, interface: str) -> socket.socket:
    if not _is_loopback(destination):
        _refuse_outside(f"a TCP socket to {destination}")
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if interface:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        if source:
            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
    except OSError as error:
        made.close()
        raise CensusError(
            f"no TCP socket from {source or 'here'} on {interface or 'any link'}: {error.strerror}"
        ) from None
    return made


def require_reach(host: str, what: str) -> None:
    """Raise GuardError unless this process may send something other than a probe to this host (a name, or an address).

    It leaves from where the process itself stands, whatever the vantage is.
    """
    if host != "localhost" and not _is_loopback(host):
        _refuse_outside(f"{what} to {host}")


def present(manifest: Manifest) -> Present:
    """Look which of the manifest's holders live, with the start time and namespace that they have now."""
    found = (holder_of(holder.pid) for holder in manifest.holders)
    return Present(boot_id(), frozenset(holder for holder in found if holder))


def holder_of(pid: int) -> Holder | None:
    """Return a process as a holder of its network namespace, or None if there is no such process."""
    try:
        started = started_at(pid)
        return None if started is None else Holder(pid, started, inode(pid))
    except OSError:
        return None


def started_at(pid: int) -> int | None:
    """When a process was started, in clock ticks since the boot, which tells it from a later one with its pid; None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # proc(5): the name may hold anything, so count from its closing bracket; field 22 is the start time.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _of_another_run(manifest: Manifest, present: Present) -> Iterator[str]:
    if manifest.boot_id != present.boot_id:
        yield "the manifest was written before the machine was started"
    for holder in manifest.holders:
        if holder not in present.holders:
            yield f"the manifest is of another run: process {holder.pid} no longer holds namespace {holder.namespace}"


def _why_open(namespace: Namespace, link: Link, ends: dict[tuple[int, int], str]) -> str:
    """Return why a link may lead out; empty if it is loopback or a listed end of a listed pair."""
    where = f"link {link.name} (index {link.index}) of namespace {namespace.inode}"
    if link.kind == "loopback":
        return ""
    if link.kind != "veth":
        return f"{where} is no veth but {link.kind or 'a physical device'}"
    if ends.get((namespace.inode, link.index)) != link.name:
        return f"{where} is not listed"
    if link.peer_namespace is None or link.peer_index is None:
        return f"{where} leads to a namespace that cannot be identified"
    if (link.peer_namespace, link.peer_index) not in ends:
        return f"{where} leads to link {link.peer_index} of namespace {link.peer_namespace}, which is not listed"
    return ""


def _is_loopback(destination: str) -> bool:
    try:
        return socket.inet_pton(socket.AF_INET, destination)[0] == LOOPBACK
    except OSError:
        return False


def _refuse_outside(what: str) -> None:
    """Raise GuardError if only testbeds are allowed and this namespace is in none."""
    if not os.environ.get(ONLY_TESTBED):
        return
    reasons = _why_not()
    if reasons:
        raise GuardError(_refusal(what, reasons))


def _refusal(what: str, reasons: Sequence[str]) -> str:
    return (
        f"{what} is refused: {ONLY_TESTBED} is set and this is not a closed testbed ({'; '.join(reasons)}); "
        f"run the command by `census testbed run -- …`, or unset {ONLY_TESTBED} if it may send to others"
    )


#: The last proof. A race of two threads costs a second proof, nothing else.
_last = Proof(float("-inf"), ("", 0), ())


def _why_not() -> tuple[str, ...]:
    """Return why this namespace is in no closed testbed, believing a proof for PROOF_LASTS seconds."""
    global _last
    subject = (os.environ.get(TESTBED, ""), inode())
    now = time.monotonic()
    if _last.subject != subject or not now - _last.at < PROOF_LASTS:
        _last = Proof(now, subject, tuple(_prove(*subject)))
    return _last.reasons


def _prove(path: str, here: int) -> list[str]:
    if not path:
        return [f"{TESTBED} is not set"]
    try:
        manifest = msgspec.json.decode(Path(path).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        return [f"the manifest {path} cannot be read: {error}"]
    now = present(manifest)
    if stale := list(_of_another_run(manifest, now)):
        return stale
    try:
        others = [facts(holder.pid) for holder in manifest.holders if holder.namespace != here]
        return leaks([facts(), *others], manifest, now)
    except (OSError, CensusError) as error:
        return [f"its namespaces cannot be looked at: {error}"]
