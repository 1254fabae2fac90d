"""Closed networks of several namespaces, with real kernel routers between a vantage and a world that answers on every address."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from pipeline.guard import namespaces
from pipeline.guard.proof import TESTBED, End, Holder, Manifest
from pipeline.guard.sockets import ONLY_TESTBED, VANTAGE
from pipeline.host import boot_id
from pipeline.testbed.closed import _keeper, configure, inside

T = TypeVar("T")
#: Accepts on port 104 of every address, reads the request, answers with the bytes of its argument and closes.
SERVER = """
import asyncio, sys
async def serve(reader, writer):
    try:
        await reader.read(1000)
        writer.write(bytes.fromhex(sys.argv[1]))
        writer.close()
    except OSError:
        pass
async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 104, backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@dataclass
class Network:
    """Namespaces by name; `routers` are those that forward."""

    holders: dict[str, Holder]
    routers: set[str] = field(default_factory=set)

    def ip(self, name: str, *lines: str) -> None:
        """Run lines of `ip` in a namespace."""
        configure(self.holders[name].pid, "".join(f"{line}\n" for line in lines))

    def nft(self, name: str, rules: str) -> None:
        """Load nftables rules in a namespace."""
        configure(self.holders[name].pid, rules, tool=("nft", "-f", "-"))

    def link(self, near: str, interface: str, far: str, other: str) -> None:
        """Join two namespaces by a veth pair, both ends up."""
        peer = f"type veth peer name {other} netns {self.holders[far].pid}"
        self.ip(near, f"link add {interface} {peer}", f"link set {interface} up")
        self.ip(far, f"link set {other} up")

    def route(self, name: str) -> None:
        """Let a namespace forward."""
        self.routers.add(name)
        self.within(name, lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))

    def within(self, name: str, work: Callable[[], T]) -> T:
        """Do something in a namespace."""
        return namespaces.inside(self.holders[name].pid, work)

    def manifest(self) -> Manifest:
        """What it consists of now."""
        seen = [namespaces.facts(holder.pid) for holder in self.holders.values()]
        ends = (End(each.inode, link.name, link.index) for each in seen for link in each.links if link.kind == "veth")
        routers = tuple(self.holders[name].namespace for name in sorted(self.routers))
        return Manifest(boot_id(), tuple(self.holders.values()), tuple(ends), routers)

    def send_from(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process, and those it starts, send from a namespace, proved closed as it is now."""
        path = folder / "manifest.json"
        path.write_bytes(msgspec.json.encode(self.manifest()))
        for variable, value in {TESTBED: path, ONLY_TESTBED: 1, VANTAGE: self.holders[name].pid}.items():
            monkeypatch.setenv(variable, str(value))

    @contextmanager
    def serving(self, name: str, answer: bytes = b"") -> Iterator[None]:
        """A server on port 104 of every address of a namespace, with one answer to whatever it reads."""
        command = [*inside(self.holders[name].pid), sys.executable, "-c", SERVER, answer.hex()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout and server.stdout.readline() == "ready\n"
            yield
            server.kill()


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Namespaces with nothing but loopback, until the block ends."""
    with ExitStack() as stack:
        made = Network({name: stack.enter_context(_keeper()) for name in names})
        for name in names:
            made.ip(name, "link set lo up")
        yield made


@contextmanager
def two_uplinks() -> Iterator[Network]:
    """A vantage with two uplinks: m0 (10.1.0.5) has the default route, s0 (10.2.0.5) one for its own source alone.

    The world takes 11.0.0.0/24 for its own addresses, and answers each source through its own uplink only.
    """
    with network("vantage", "world") as made:
        made.link("vantage", "m0", "world", "mr")
        made.link("vantage", "s0", "world", "sr")
        made.ip("vantage", "address add 10.1.0.5/24 dev m0", "address add 10.2.0.5/24 dev s0")
        made.ip("world", "address add 10.1.0.1/24 dev mr", "address add 10.2.0.1/24 dev sr")
        made.ip("vantage", "route add default via 10.1.0.1 dev m0")
        made.ip("vantage", "route add default via 10.2.0.1 dev s0 table 100", "rule add from 10.2.0.5 table 100")
        made.ip("world", "route add local 11.0.0.0/24 dev lo")
        for interface in ("mr", "sr", "all"):
            strict = Path(f"/proc/sys/net/ipv4/conf/{interface}/rp_filter")
            made.within("world", lambda strict=strict: strict.write_text("1"))
        yield made
