"""The proof that a testbed is closed.

A testbed is *closed* if each of its namespaces holds only loopback and ends of veth pairs both ends of which belong to it,
and none but its routers forwards. Links that can only pass packets on to other links of their namespace are as closed as those
(bridge, bond, VLAN, macvlan), and so is a tun device that only processes of the testbed read. Then no packet can leave, whatever is
sent. This is proved from the kernel's facts, each time anew; the manifest that `census testbed run` writes only says which
namespaces and links to expect.
Linux has other ways out of a namespace than a link (a bound socket inherited from outside); nothing here passes one on.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.errors import CensusError
from pipeline.guard.namespaces import UPPER, Interface, Namespace, facts, inode
from pipeline.host import boot_id, started_at

#: The path of the manifest of the testbed that this process runs in.
TESTBED = "CENSUS_TESTBED"
#: Links whose members are links of the same namespace, each of which is looked at as well.
OF_MEMBERS = ("bridge", "bond")
#: Seconds for which one proof is believed: sockets are made by the thousand, links are not.
PROOF_LASTS = 1.0


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
    routers: tuple[int, ...] = ()
    """Namespaces that may forward: between links that all belong to the testbed."""


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
        if namespace.forwarding and namespace.inode not in manifest.routers:
            reasons.append(f"namespace {namespace.inode} forwards packets")
        open_links = (_why_open(namespace, link, ends) for link in namespace.links)
        reasons += [reason for reason in open_links if reason]
    return reasons


def present(manifest: Manifest) -> Present:
    """Look which of the manifest's holders live, with the start time and namespace that they have now."""
    holders = (holder_of(holder.pid) for holder in manifest.holders)
    return Present(boot_id(), frozenset(holder for holder in holders if holder))


def holder_of(pid: int) -> Holder | None:
    """Return a process as a holder of its network namespace, or None if there is no such process."""
    try:
        started = started_at(pid)
        return None if started is None else Holder(pid, started, inode(pid))
    except OSError:
        return None


def _of_another_run(manifest: Manifest, present: Present) -> Iterator[str]:
    if manifest.boot_id != present.boot_id:
        yield "the manifest was written before the machine was started"
    for holder in manifest.holders:
        if holder not in present.holders:
            yield f"the manifest is of another run: process {holder.pid} no longer holds namespace {holder.namespace}"


def _why_open(namespace: Namespace, link: Interface, ends: dict[tuple[int, int], str]) -> str:
    """Return why a link may lead out; empty if it is loopback or a listed end of a listed pair."""
    where = f"link {link.name} (index {link.index}) of namespace {namespace.inode}"
    if link.kind in ("loopback", *OF_MEMBERS):
        return ""
    if link.kind in UPPER:
        below = {other.index for other in namespace.links}
        inside = link.peer_namespace == namespace.inode and link.peer_index in below
        return "" if inside else f"{where} is on top of a link elsewhere"
    if link.kind == "tun":
        outside = link.readers - {inode for inode, _ in ends}
        return f"{where} is read by a process outside of the testbed" if outside else ""
    if link.kind != "veth":
        return f"{where} is not a veth but {link.kind or 'a physical device'}"
    if ends.get((namespace.inode, link.index)) != link.name:
        return f"{where} is not listed"
    if link.peer_namespace is None or link.peer_index is None:
        return f"{where} leads to a namespace that cannot be identified"
    if (link.peer_namespace, link.peer_index) not in ends:
        return f"{where} leads to link {link.peer_index} of namespace {link.peer_namespace}, which is not listed"
    return ""


#: The last proof. A race of two threads costs a second proof, nothing else.
_last = Proof(float("-inf"), ("", 0), ())


def why_not_closed() -> tuple[str, ...]:
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
