"""A closed pair of network namespaces: a *vantage* and a *world*, joined by one veth pair, with nothing else but loopback.

    vantage  198.18.0.1/29 vantage0 ═══ world0 198.18.0.2/29  world
             198.18.0.3/29
             default via world          no default; simulated addresses are local

A further pair, for a second vantage, has 198.18.1.1 to 198.18.1.3, and so on; only the addresses differ. The vantage's second
address is for senders that use several. Neighbour entries are permanent, so there is not even ARP traffic. The pair is proved
closed before its links are up.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from pipeline import checkout, host
from pipeline.errors import CensusError
from pipeline.guard.namespaces import Namespace, facts
from pipeline.guard.proof import End, Holder, Manifest, holder_of, leaks, present
from pipeline.host import boot_id

ROOT = checkout.ROOT
BENCHMARKING = "198.18.{pair}.{end}"  # RFC 2544 benchmarking space
VANTAGE_ADDRESS = BENCHMARKING.format(pair=0, end=1)
VANTAGE_MAC, WORLD_MAC = "02:00:c6:12:00:01", "02:00:c6:12:00:02"
CAP_SYS_ADMIN = 21  # linux/capability.h
SETUP_SECONDS = 30

PAIR = """\
link add vantage0 address {VANTAGE_MAC} type veth peer name world0 address {WORLD_MAC} netns {world}
"""
VANTAGE = """\
link set lo up
address add {vantage_address}/29 dev vantage0
address add {second_address}/29 dev vantage0
link set vantage0 up
neigh replace {world_address} lladdr {WORLD_MAC} dev vantage0 nud permanent
route add default via {world_address} dev vantage0
"""
WORLD = """\
link set lo up
address add {world_address}/29 dev world0
link set world0 up
neigh replace {vantage_address} lladdr {VANTAGE_MAC} dev world0 nud permanent
neigh replace {second_address} lladdr {VANTAGE_MAC} dev world0 nud permanent
"""


@dataclass(frozen=True, slots=True)
class NamespacePair:
    """A closed pair: the processes that keep its namespaces, its manifest, and the vantage's addresses."""

    vantage: int
    world: int
    manifest: Manifest
    addresses: tuple[str, str]


@contextmanager
def closed_pair(number: int = 0) -> Iterator[NamespacePair]:
    """Make a closed pair, numbered from 0. At the end, kill every process in it by its pid; the namespaces end with them."""
    with _keeper() as vantage, _keeper() as world:
        vantage_address, world_address, second_address = (
            BENCHMARKING.format(pair=number, end=end) for end in (1, 2, 3)
        )
        addresses = {
            "vantage_address": vantage_address,
            "world_address": world_address,
            "second_address": second_address,
        }
        names = {**globals(), **addresses, "world": world.pid}
        configure(vantage.pid, PAIR.format(**names))
        pair = NamespacePair(vantage.pid, world.pid, _manifest(vantage, world), (vantage_address, second_address))
        prove(pair)
        configure(vantage.pid, VANTAGE.format(**names))
        configure(world.pid, WORLD.format(**names))
        _wait_for_carrier(pair)
        try:
            yield pair
        finally:
            _clear(pair)


def _wait_for_carrier(pair: NamespacePair) -> None:
    """Wait until the kernel says of both ends that they pass packets on, which it does a moment after they are set up."""
    deadline = time.monotonic() + SETUP_SECONDS
    for pid, name in ((pair.vantage, "vantage0"), (pair.world, "world0")):
        while "state UP" not in _output(pid, "ip", "-o", "link", "show", name):
            if time.monotonic() > deadline:
                raise CensusError(f"the testbed cannot be set up: {name} has no carrier after {SETUP_SECONDS} s")
            time.sleep(0.01)


def _output(pid: int, *command: str) -> str:
    """What a command prints in a process's namespaces."""
    ended = subprocess.run([*inside(pid), *command], check=False, capture_output=True, text=True, timeout=SETUP_SECONDS)
    return ended.stdout


def prove(pair: NamespacePair) -> None:
    """Raise CensusError unless the pair is closed."""
    reasons = leaks([facts(pair.vantage), facts(pair.world)], pair.manifest, present(pair.manifest))
    if reasons:
        raise CensusError(f"the testbed is not closed, so nothing was started in it: {'; '.join(reasons)}")


def claim_addresses(pair: NamespacePair, addresses: Iterable[IPv4Address]) -> None:
    """Make these addresses local in the world, so that it answers for them."""
    configure(pair.world, "".join(f"route add local {address}/32 dev lo\n" for address in addresses))


def inside(pid: int, folder: Path | str = ROOT) -> list[str]:
    """The command prefix that runs a command in a process's namespaces and in a folder, and ends it with this process."""
    spaces = [f"--net=/proc/{pid}/ns/net", f"--mount=/proc/{pid}/ns/mnt", f"--wdns={folder}"]
    return ["nsenter", *spaces, "--", *dying_with_us()]


def dying_with_us() -> list[str]:
    """The command prefix that ends a command with this process."""
    return ["setpriv", "--pdeathsig", "KILL", "--"]


def configure(pid: int, script: str, *, tool: tuple[str, ...] = ("ip", "-batch", "-")) -> None:
    """Run a tool on a script in a process's namespaces. Raises CensusError."""
    command = [*inside(pid), *tool]
    result = subprocess.run(command, check=False, input=script, capture_output=True, text=True, timeout=SETUP_SECONDS)
    if result.returncode != 0:
        raise CensusError(f"the testbed cannot be set up: {' '.join(tool)}: {result.stderr.strip()}")


def may_make_namespaces() -> bool:
    """Whether this process has CAP_SYS_ADMIN in its user namespace."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> CAP_SYS_ADMIN & 1)


@contextmanager
def _keeper() -> Iterator[Holder]:
    """Run a process that keeps a new network namespace."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.testbed.namespace_keeper"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            reason = process.communicate(timeout=SETUP_SECONDS)[1].strip()
            raise CensusError(f"cannot make a network namespace for the testbed: {reason}; run it as root")
        holder = holder_of(process.pid)
        if holder is None:
            raise CensusError("cannot make a network namespace for the testbed: its keeper process ended")
        yield holder
    finally:
        process.kill()
        process.communicate()


def _manifest(vantage: Holder, world: Holder) -> Manifest:
    """The manifest of the new pair: two namespaces, each with one link besides loopback."""
    ends = (*_ends(facts(vantage.pid), "vantage0"), *_ends(facts(world.pid), "world0"))
    return Manifest(boot_id(), (vantage, world), ends)


def _ends(namespace: Namespace, name: str) -> Iterator[End]:
    return (End(namespace.inode, name, link.index) for link in namespace.links if link.name == name)


def _clear(pair: NamespacePair) -> None:
    """Kill every process in the pair's namespaces, except the keepers; each by its pid."""
    ours = {holder.namespace for holder in pair.manifest.holders}
    exempt = {pair.vantage, pair.world, os.getpid()}
    for pid in host.pids():
        keeper = None if pid in exempt else holder_of(pid)
        if keeper and keeper.namespace in ours:
            _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
