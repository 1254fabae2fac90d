"""The end of our connections reaches the peer, even if our FIN was lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED
from pipeline.probe.connections import CONNECTION
from pipeline.probe.fin_wait import FIN_SECONDS, FIN_WAIT, SETTLED, FinWaitQueue, acknowledged, fin_wait_state
from pipeline.testbed.closed import NamespacePair, claim_addresses, closed_pair, configure, inside
from tests.testbed.running import CENSUS, ROOT, frozen

#: Real listeners that read and never answer; each prints how its connection ended.
LISTEN = r"""
import os, socket, threading
def hold(port):
    with socket.create_server(("11.0.0.5", port)) as server:
        os.write(1, b"ready\n")
        one, _ = server.accept()
        try:
            while one.recv(4096): pass
            print(port, "closed", flush=True)
        except ConnectionResetError:
            print(port, "reset", flush=True)
threads = [threading.Thread(target=hold, args=(port,)) for port in (104, 105)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
#: The world drops every packet to port 105 that carries a FIN.
LOSSY = """
table netdev lossy {
 chain ingress {
  type filter hook ingress device "world0" priority 0; policy accept;
  tcp dport 105 tcp flags & fin == fin drop
 }
}
"""
SWEEP = """
sweep = { name = "closing", ports = [104, 105], seed = 1, rate = 100, shards = 1 }
targets = { include = ["11.0.0.5"] }
probe = { cooldown = 0.5 }
loss = { sample = 0.0 }
control = { sample = 0.0 }
"""


@pytest.fixture
def pair() -> Iterator[NamespacePair]:
    """A closed pair whose world has one real host."""
    with closed_pair() as made:
        claim_addresses(made, [IPv4Address("11.0.0.5")])
        configure(made.world, LOSSY, tool=("nft", "-f", "-"))
        yield made


def test_a_lost_fin_is_followed_by_a_reset(pair: NamespacePair, tmp_path: Path) -> None:
    """A real silent server without our A-ABORT and FIN is reset a second later; a server that received both is not."""
    manifest, sweep, plan = (tmp_path / name for name in ("manifest.json", "sweep.toml", "plan.json"))
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    sweep.write_text(SWEEP)
    environment = {**os.environ, TESTBED: str(manifest), ONLY_TESTBED: "1"}
    listening = subprocess.Popen([*inside(pair.world), sys.executable, "-c", LISTEN], stdout=subprocess.PIPE, text=True)
    assert listening.stdout
    assert [listening.stdout.readline() for _ in range(2)] == ["ready\n", "ready\n"]
    frozen(sweep, plan)
    command = [*inside(pair.vantage), *CENSUS, "work", str(plan), "--lake", str(tmp_path / "lake")]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-2000:]
    output, _ = listening.communicate(timeout=10)
    assert sorted(output.splitlines()) == ["104 closed", "105 reset"]


@given(st.integers(1, 8192), st.integers(0, 8192))
def test_a_state_shows_what_is_to_be_acknowledged(sent: int, acked: int) -> None:
    """A target is in FIN-WAIT until all our bytes are acknowledged; with no bytes sent, it is settled at once."""
    state = np.array([fin_wait_state(sent), fin_wait_state(0)], dtype=np.int32)
    assert state[0] <= FIN_WAIT and state[1] == SETTLED
    assert acknowledged(state, np.full(2, acked, dtype=np.uint32)).tolist() == [acked >= sent, False]


def test_all_hosts_have_the_same_time() -> None:
    """Hosts that were sent a FIN first are due first, and no host is due before a second is over."""
    queue, rows = FinWaitQueue(), np.zeros(1, dtype=CONNECTION)
    assert queue.next_due == float("inf")
    for serial, now in ((1, 10.0), (2, 10.5)):
        queue.add(serial, np.array([serial]), rows, now)
    assert queue.next_due == 10.0 + FIN_SECONDS
    assert [waiting.serial for waiting in queue.due(10.9)] == []
    assert [waiting.serial for waiting in queue.due(11.2)] == [1]
    assert [waiting.serial for waiting in queue.due(12.0)] == [2]
