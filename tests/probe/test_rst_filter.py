"""The kernel's RSTs are suppressed while a sender runs, and no filter is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.testbed.closed import NamespacePair, closed_pair, inside

ROOT = Path(__file__).parents[2]
#: Suppresses RSTs until it gets a line or is killed.
FILTER = """
import sys
from pipeline.probe.rst_filter import suppress_resets
from pipeline.wire.cookie import Slice
ours, owned = Slice.of(int(sys.argv[1]), int(sys.argv[2])), len(sys.argv) == 3
with suppress_resets("vantage0", "198.18.0.1", (104, 50000), ours, owned=owned) as made:
    print("up", flush=True)
    while sys.stdin.readline() == "check\\n":
        print(made.check(lambda: 7), flush=True)
"""
#: A host of the world sends a SYN-ACK that the vantage's kernel does not know, and prints the kernel's answer, if any.
PROVOKE = """
import socket, sys
import numpy as np
from pipeline.guard import sockets
from pipeline.rings.packet_ring import segment_ring
from pipeline.testbed.internet.serve import link
from pipeline.wire.packet import ACK, SYN
from pipeline.wire.segment import Kind, Endpoints
received = sockets.packet_socket("world0", 3)
one = lambda number, kind: np.array([number], dtype=kind)
places = Endpoints(one(11 << 24, "u4"), one(int(sys.argv[1]), "u2"), one(20000, "u2"), one(7, "u4"), one(8, "u4"))
segment_ring(sockets.packet_socket("world0", 0)).send([(Kind.of(link(), SYN | ACK, played=True), places)])
received.settimeout(1)
try:
    while (frame := received.recv(2048))[47] != 4:
        pass
    print("reset")
except TimeoutError:
    print("nothing")
"""


@pytest.fixture(scope="module")
def pair() -> Iterator[NamespacePair]:
    """A closed pair."""
    with closed_pair() as made:
        yield made


@pytest.fixture(scope="module")
def environment(pair: NamespacePair, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in the testbed."""
    manifest = tmp_path_factory.mktemp("pair") / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    return {**os.environ, ONLY_TESTBED: "1", TESTBED: str(manifest)}


def filtering(pair: NamespacePair, sender: int = 0, senders: int = 1, *more: str) -> "subprocess.Popen[str]":
    """A process in the vantage that suppresses RSTs for one of several senders."""
    command = [*inside(pair.vantage), sys.executable, "-c", FILTER, str(sender), str(senders), *more]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process: subprocess.Popen[str] = subprocess.Popen(command, cwd=ROOT, **pipes)  # type: ignore[call-overload]
    assert process.stdout and process.stdout.readline() == "up\n"
    return process


def tables(pair: NamespacePair) -> list[str]:
    """The nftables tables of the vantage."""
    command = [*inside(pair.vantage), "nft", "list", "tables"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def provoke(pair: NamespacePair, environment: dict[str, str], port: int) -> str:
    """How the vantage's kernel answers a SYN-ACK from a port."""
    command = [*inside(pair.world), sys.executable, "-c", PROVOKE, str(port)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_the_kernel_sends_no_rst(pair: NamespacePair, environment: dict[str, str]) -> None:
    """The kernel does not reset a SYN-ACK from a filtered port, but one from another port, and any after the filter's end."""
    process = filtering(pair)
    assert [provoke(pair, environment, port) for port in (104, 50000, 105)] == ["nothing", "nothing", "reset"]
    process.communicate("\n", timeout=10)
    assert process.returncode == 0
    assert provoke(pair, environment, 104) == "reset"


def test_nothing_stays_after_an_end(pair: NamespacePair) -> None:
    """An orderly end removes the table."""
    process = filtering(pair)
    assert len(tables(pair)) == 1
    process.communicate("\n", timeout=10)
    assert tables(pair) == []


def test_what_a_killed_sender_left_is_removed_at_the_next_start(pair: NamespacePair) -> None:
    """On an older kernel the table stays after kill -9; the next start removes it, but keeps the table of another live sender."""
    killed = filtering(pair, 0, 1, "without-owner")
    (left,) = tables(pair)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    assert tables(pair) == [left]
    living, next_one = filtering(pair, 0, 2), filtering(pair, 1, 2)
    assert left not in tables(pair)
    assert len(tables(pair)) == 2
    for process in (living, next_one):
        process.communicate("\n", timeout=10)
    assert tables(pair) == []


def test_no_other_process_sends_from_the_same_ports(pair: NamespacePair) -> None:
    """A sender with a live sender's address and ports is refused; once the live sender has ended, the sender starts."""
    first = filtering(pair)
    command = [*inside(pair.vantage), sys.executable, "-c", FILTER, "0", "1"]
    second = subprocess.run(command, cwd=ROOT, input="\n", capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "sends from 198.18.0.1 already" in second.stderr
    assert "probe.senders" in second.stderr
    assert len(tables(pair)) == 1
    first.communicate("\n", timeout=10)
    filtering(pair).communicate("\n", timeout=10)
    assert tables(pair) == []
