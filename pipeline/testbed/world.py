"""Start a closed world: its servers, the redirection of simulated endpoints to them, and a wait until each listens."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import killpg
from pathlib import Path
from signal import SIGKILL, SIGTERM

from pipeline import logs
from pipeline.errors import CensusError, InputError
from pipeline.testbed.closed import NamespacePair, claim_addresses, configure, inside
from pipeline.testbed.decoys import DECOYS
from pipeline.testbed.server_kinds import REAL
from pipeline.testbed.spec import Server, Spec, addresses

#: The servers' own ports, one each, ascending from here; visitors that are not redirected get a RST there.
FIRST_PORT = 20_001
READY_SECONDS = 60.0
LOG_TAIL = 1_500
#: The process that simulates an internet, and how long it may take to print its counts, in seconds.
INTERNET = "internet"
COUNTING_SECONDS = 5.0
LISTENING = "0A"  # TCP_LISTEN, linux/include/net/tcp_states.h

RULES = """\
table ip testbed {{
  map redirected {{ type ipv4_addr . inet_service : inet_service; {redirected} }}
  set unreachable {{ type ipv4_addr . inet_service; {unreachable} }}
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    iifname "world0" meta l4proto tcp redirect to :ip daddr . tcp dport map @redirected
  }}
  chain input {{
    type filter hook input priority filter;
    iifname "world0" ip daddr . tcp dport @unreachable reject with icmp type host-unreachable
    iifname "world0" meta l4proto tcp ct state new ct status & dnat == 0 reject with tcp reset
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A process of the world: its name, ports and log file."""

    name: str
    ports: tuple[int, ...]
    log: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def started_world(
    pair: NamespacePair, spec: Spec, folder: Path, spec_path: Path, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Start the world and yield its number of server processes, once all of them listen.

    An internet is simulated by its own process, which needs the environment variable with the manifest.
    """
    ports = {server.name: FIRST_PORT + number for number, server in enumerate(spec.server)}
    started: list[ServerProcess] = []
    try:
        for name, command, own_ports in _commands(spec, ports, folder):
            started.append(_start(pair, name, command, own_ports, folder))
        claim_addresses(pair, sorted({address for placement in spec.placements for address in addresses(placement)}))
        configure(pair.world, rules(spec, ports), tool=("nft", "-f", "-"))
        if spec.internet is not None:
            started.append(_start_internet(pair, spec_path, folder, environment))
        for server in started:
            _await(pair, server)
        yield len(started)
    finally:
        for server in started:
            if server.name == INTERNET:
                _print_counts(server)
            _stop(server.process)


def rules(spec: Spec, ports: dict[str, int]) -> str:
    """The nftables rules that redirect every simulated endpoint to its server's port."""
    kinds = {server.name: server.kind for server in spec.server}
    served = {server.name: ports[server.name] for server in spec.server if server.kind not in ("closed", "unreachable")}
    endpoints = [
        (f"{address} . {placement.port}", placement.server)
        for placement in spec.placements
        for address in addresses(placement)
    ]
    redirected = [f"{endpoint} : {served[name]}" for endpoint, name in endpoints if name in served]
    unreachable = [endpoint for endpoint, name in endpoints if kinds[name] == "unreachable"]
    return RULES.format(redirected=_elements(redirected), unreachable=_elements(unreachable))


def _elements(rows: list[str]) -> str:
    return f"elements = {{ {', '.join(rows)} }}" if rows else ""


def _commands(spec: Spec, ports: dict[str, int], folder: Path) -> Iterator[tuple[str, list[str], tuple[int, ...]]]:
    """Yield name, command and ports of each process: one per real server, and one for all decoys."""
    for server in spec.server:
        if server.kind in REAL:
            yield (
                server.name,
                REAL[server.kind](server, ports[server.name], _server_folder(folder, server)),
                (ports[server.name],),
            )
    decoys = {server.kind: ports[server.name] for server in spec.server if server.kind in DECOYS}
    if decoys:
        arguments = [f"{kind}={port}" for kind, port in decoys.items()]
        yield "decoys", [sys.executable, "-m", "pipeline.testbed.decoys", *arguments], tuple(decoys.values())


def _start_internet(
    pair: NamespacePair, spec_path: Path, folder: Path, environment: Mapping[str, str] | None
) -> ServerProcess:
    command = [sys.executable, "-m", "pipeline.testbed.internet.serve", str(spec_path.absolute()), *pair.addresses]
    return _start(pair, INTERNET, command, (), folder, environment)


def _server_folder(folder: Path, server: Server) -> Path:
    server_folder = folder / server.name
    server_folder.mkdir()
    return server_folder


def _start(
    pair: NamespacePair,
    name: str,
    command: list[str],
    ports: tuple[int, ...],
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> ServerProcess:
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*inside(pair.world), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
        )
    return ServerProcess(name, ports, log, process)


def _await(pair: NamespacePair, server: ServerProcess) -> None:
    """Wait until the kernel shows that the server listens, without a connection to it; an internet prints that it is ready."""
    deadline = time.monotonic() + READY_SECONDS
    while not (set(server.ports) <= _listening(pair.world) and (server.ports or server.log.read_bytes())):
        code = server.process.poll()
        if code is not None or time.monotonic() > deadline:
            reason = (
                f"ended with exit code {code}" if code is not None else f"did not listen within {READY_SECONDS:.0f} s"
            )
            tail = server.log.read_text("utf-8", "replace")[-LOG_TAIL:].strip()
            raise CensusError(f"the testbed's server {server.name} {reason}; the end of its log:\n{tail}")
        time.sleep(0.02)


def _listening(holder: int) -> set[int]:
    """The TCP ports with a listener in a process's namespace."""
    rows = [row.split() for table in ("tcp", "tcp6") for row in _table(Path(f"/proc/{holder}/net", table))]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING}


def _table(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:] if path.exists() else []


def _print_counts(internet: ServerProcess) -> None:
    """Stop the internet and print its counts."""
    internet.process.send_signal(SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        internet.process.wait(COUNTING_SECONDS)
        logs.info(f"testbed: internet: {internet.log.read_text().splitlines()[-1]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server and its children: the session that was made for it."""
    with suppress(ProcessLookupError):
        killpg(process.pid, SIGKILL)
    process.wait()


def check_decoys(path: Path, spec: Spec) -> None:
    """Raise InputError for two servers of one decoy kind: all decoys of a kind are equal."""
    kinds = [server.kind for server in spec.server if server.kind in DECOYS]
    if repeated := {kind for kind in kinds if kinds.count(kind) > 1}:
        raise InputError(
            f"{path}, key server", f"has two servers of the kind {', '.join(sorted(repeated))}; remove one"
        )
