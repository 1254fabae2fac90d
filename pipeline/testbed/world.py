"""Fill a closed world: start its servers, redirect the played doors to them, wait until each listens."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import killpg
from pathlib import Path
from signal import SIGKILL, SIGTERM

from pipeline.errors import CensusError, InputError
from pipeline.testbed.closed import Pair, configure, inside, play
from pipeline.testbed.decoys import DECOYS
from pipeline.testbed.server_kinds import REAL
from pipeline.testbed.spec import Server, Spec, addresses

#: The servers' own ports, one each, upwards from here; a visitor who was not redirected gets a RST there.
FIRST_PORT = 20_001
READY_SECONDS = 60.0
LOG_TAIL = 1_500
#: The process that plays an internet, and how long it may take to say what it counted, in seconds.
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
class Started:
    """A process of the world: its name for people, its ports, where it logs."""

    name: str
    ports: tuple[int, ...]
    log: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def filled(
    pair: Pair, spec: Spec, folder: Path, spec_path: Path, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Fill the world and yield the number of processes that serve in it, once all of them listen.

    An internet is played by a process of its own, which needs the environment that names the manifest.
    """
    ports = {server.name: FIRST_PORT + number for number, server in enumerate(spec.server)}
    started: list[Started] = []
    try:
        for name, command, own in _commands(spec, ports, folder):
            started.append(_start(pair, name, command, own, folder))
        play(pair, sorted({address for stand in spec.stand for address in addresses(stand)}))
        configure(pair.world, rules(spec, ports), tool=("nft", "-f", "-"))
        if spec.internet is not None:
            started.append(_start_internet(pair, spec_path, folder, environment))
        for server in started:
            _await(pair, server)
        yield len(started)
    finally:
        for server in started:
            if server.name == INTERNET:
                _say_counts(server)
            _stop(server.process)


def rules(spec: Spec, ports: dict[str, int]) -> str:
    """Return the redirection of every played door to its server's port, as nftables wants it."""
    kinds = {server.name: server.kind for server in spec.server}
    served = {server.name: ports[server.name] for server in spec.server if server.kind not in ("closed", "unreachable")}
    doors = [(f"{address} . {stand.port}", stand.server) for stand in spec.stand for address in addresses(stand)]
    redirected = [f"{door} : {served[name]}" for door, name in doors if name in served]
    unreachable = [door for door, name in doors if kinds[name] == "unreachable"]
    return RULES.format(redirected=_elements(redirected), unreachable=_elements(unreachable))


def _elements(rows: list[str]) -> str:
    return f"elements = {{ {', '.join(rows)} }}" if rows else ""


def _commands(spec: Spec, ports: dict[str, int], folder: Path) -> Iterator[tuple[str, list[str], tuple[int, ...]]]:
    """Yield name, command and ports of each process: one a real server, one for all decoys."""
    for server in spec.server:
        if server.kind in REAL:
            yield (
                server.name,
                REAL[server.kind](server, ports[server.name], _own(folder, server)),
                (ports[server.name],),
            )
    decoys = {server.kind: ports[server.name] for server in spec.server if server.kind in DECOYS}
    if decoys:
        arguments = [f"{kind}={port}" for kind, port in decoys.items()]
        yield "decoys", [sys.executable, "-m", "pipeline.testbed.decoys", *arguments], tuple(decoys.values())


def _start_internet(pair: Pair, spec_path: Path, folder: Path, environment: Mapping[str, str] | None) -> Started:
    command = [sys.executable, "-m", "pipeline.testbed.internet.serve", str(spec_path.absolute()), *pair.addresses]
    return _start(pair, INTERNET, command, (), folder, environment)


def _own(folder: Path, server: Server) -> Path:
    own = folder / server.name
    own.mkdir()
    return own


def _start(
    pair: Pair,
    name: str,
    command: list[str],
    ports: tuple[int, ...],
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Started:
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
    return Started(name, ports, log, process)


def _await(pair: Pair, server: Started) -> None:
    """Wait until the kernel says that the server listens; no connection is made to it. An internet says itself that it is ready."""
    deadline = time.monotonic() + READY_SECONDS
    while not (set(server.ports) <= _listening(pair.world) and (server.ports or server.log.read_bytes())):
        code = server.process.poll()
        if code is not None or time.monotonic() > deadline:
            why = f"ended with exit code {code}" if code is not None else f"did not listen within {READY_SECONDS:.0f} s"
            tail = server.log.read_text("utf-8", "replace")[-LOG_TAIL:].strip()
            raise CensusError(f"the testbed's server {server.name} {why}; the end of its log:\n{tail}")
        time.sleep(0.02)


def _listening(holder: int) -> set[int]:
    """Return the TCP ports that are listened at in a holder's namespace."""
    rows = [row.split() for table in ("tcp", "tcp6") for row in _table(Path(f"/proc/{holder}/net", table))]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING}


def _table(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:] if path.exists() else []


def _say_counts(internet: Started) -> None:
    """Let the internet end in order and tell people what it counted."""
    internet.process.send_signal(SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        internet.process.wait(COUNTING_SECONDS)
        print(f"testbed: internet: {internet.log.read_text().splitlines()[-1]}", file=sys.stderr, flush=True)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server and what it forked: the session that was made for it."""
    with suppress(ProcessLookupError):
        killpg(process.pid, SIGKILL)
    process.wait()


def check_decoys(path: Path, spec: Spec) -> None:
    """Refuse two servers of one decoy kind: a decoy has nothing that could differ."""
    kinds = [server.kind for server in spec.server if server.kind in DECOYS]
    if twice := {kind for kind in kinds if kinds.count(kind) > 1}:
        raise InputError(
            f"{path}, key server", f"has two servers of the kind {', '.join(sorted(twice))}; one is enough"
        )
