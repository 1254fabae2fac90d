"""A closed pair of network namespaces: a *vantage* and a *world*, joined by one veth pair, with nothing else but loopback.

    vantage  198.18.0.1/29 vantage0 ═══ world0 198.18.0.2/29  world
             198.18.0.3/29
             default via world          no default; played addresses are local

A second pair beside it, for a second vantage, has 198.18.1.1 to 198.18.1.3, and so on: only the addresses differ.
The vantage's second address is for senders that use several. Neighbours are permanent entries, so not even ARP is spoken. The pair
is proved closed before its links are up.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from pipeline import checkout
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
class Pair:
    """A closed pair, by the processes that hold it, the manifest that describes it, and the vantage's addresses."""

    vantage: int
    world: int
    manifest: Manifest
    addresses: tuple[str, str]


@contextmanager
def closed_pair(number: int = 0) -> Iterator[Pair]:
    """Make a closed pair, the first or a further one; at the end kill whatever lives in it, by pid, and with it the namespaces."""
    with _holder() as vantage, _holder() as world:
        first, other, second = (BENCHMARKING.format(pair=number, end=end) for end in (1, 2, 3))
        addresses = {"vantage_address": first, "world_address": other, "second_address": second}
        names = {**globals(), **addresses, "world": world.pid}
        configure(vantage.pid, PAIR.format(**names))
        pair = Pair(vantage.pid, world.pid, _manifest(vantage, world), (first, second))
        prove(pair)
        configure(vantage.pid, VANTAGE.format(**names))
        configure(world.pid, WORLD.format(**names))
        try:
            yield pair
        finally:
            _clear(pair)


def prove(pair: Pair) -> None:
    """Raise CensusError unless the pair is closed."""
    reasons = leaks([facts(pair.vantage), facts(pair.world)], pair.manifest, present(pair.manifest))
    if reasons:
        raise CensusError(f"the testbed is not closed, so nothing was started in it: {'; '.join(reasons)}")


def play(pair: Pair, addresses: Iterable[IPv4Address]) -> None:
    """Make the world answer for these addresses."""
    configure(pair.world, "".join(f"route add local {address}/32 dev lo\n" for address in addresses))


def inside(holder: int, folder: Path | str = ROOT) -> list[str]:
    """Return the prefix that runs a command in a holder's namespaces, in a folder, and that dies with this process."""
    spaces = [f"--net=/proc/{holder}/ns/net", f"--mount=/proc/{holder}/ns/mnt", f"--wdns={folder}"]
    return ["nsenter", *spaces, "--", *dying_with_us()]


def dying_with_us() -> list[str]:
    """Return the prefix that runs a command that dies with this process."""
    return ["setpriv", "--pdeathsig", "KILL", "--"]


def configure(holder: int, script: str, *, tool: tuple[str, ...] = ("ip", "-batch", "-")) -> None:
    """Feed a script to a tool in a holder's namespaces."""
    command = [*inside(holder), *tool]
    done = subprocess.run(command, check=False, input=script, capture_output=True, text=True, timeout=SETUP_SECONDS)
    if done.returncode != 0:
        raise CensusError(f"the testbed cannot be set up: {' '.join(tool)}: {done.stderr.strip()}")


def may_make_namespaces() -> bool:
    """Tell whether this process has CAP_SYS_ADMIN in its user namespace."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> CAP_SYS_ADMIN & 1)


@contextmanager
def _holder() -> Iterator[Holder]:
    """Keep a process that holds a fresh network namespace."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.testbed.holder"],
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
            raise CensusError("cannot make a network namespace for the testbed: its holder died")
        yield holder
    finally:
        process.kill()
        process.communicate()


def _manifest(vantage: Holder, world: Holder) -> Manifest:
    """Write down the pair as it was just made: two namespaces, one link each besides loopback."""
    ends = (*_ends(facts(vantage.pid), "vantage0"), *_ends(facts(world.pid), "world0"))
    return Manifest(boot_id(), (vantage, world), ends)


def _ends(namespace: Namespace, name: str) -> Iterator[End]:
    return (End(namespace.inode, name, link.index) for link in namespace.links if link.name == name)


def _clear(pair: Pair) -> None:
    """Kill every process that still lives in the pair's namespaces, its holders excepted; each by its pid."""
    ours = {holder.namespace for holder in pair.manifest.holders}
    spared = {pair.vantage, pair.world, os.getpid()}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdecimal()):
        found = None if pid in spared else holder_of(pid)
        if found and found.namespace in ours:
            _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
