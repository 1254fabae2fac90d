"""An unprivileged sweep: engine `connect`, without CAP_NET_RAW and CAP_NET_ADMIN, finds the truth of a simulated internet."""

import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import dpkt
import pytest

from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.end_to_end.test_internet import PORTS, SPEC, SWEEP
from tests.testbed.running import CENSUS, ROOT, VANTAGE, environment, frozen, packets, streams

FEWER = 'include = ["11.0.0.0/21", "11.1.2.0/27"]'
INSIDE = {11 << 24: 2**11, (11 << 24) + (1 << 16) + (2 << 8): 2**5}
TARGETS = 2 * (2**11 + 2**5)
RATE = 20_000
#: Runs a command as the testbed's root without the privileges to open raw sockets and to configure the network.
UNPRIVILEGED = ["setpriv", "--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin", "--"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sweep, next to the capture of its packets."""
    folder = tmp_path_factory.mktemp("connect")
    config = SWEEP.read_text().replace("[probe]\n", '[probe]\nengine = "connect"\nsource = "198.18.0.1"\n')
    (folder / "sweep.toml").write_text(config.replace('include = ["11.0.0.0/17", "11.1.0.0/22"]', FEWER))
    frozen(folder / "sweep.toml", folder / "plan.json")
    work = [*CENSUS, "work", str(folder / "plan.json"), "--lake", str(folder / "lake")]
    testbed = [*CENSUS, "testbed", "run", "--spec", str(SPEC), "--capture", str(folder / "wire.pcap"), "--"]
    command = [*testbed, *UNPRIVILEGED, *work]
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-3000:]
    subprocess.run([*CENSUS, "verify", str(folder / "lake")], cwd=ROOT, env=environment(folder), check=True)
    return folder / "lake"


def expected() -> dict[tuple[int, int], str]:
    """The outcome of every target of the sweep that has one."""
    return {
        (row.address, row.port): row.outcome
        for row in truth.truth(spec.load(SPEC), PORTS)
        if row.outcome and any(first <= row.address < first + size for first, size in INSIDE.items())
    }


def test_every_row_is_the_truth(lake: Path) -> None:
    """Engine `connect` finds every responsive target with its true outcome: no row is missing, spurious or wrong."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome, ttl FROM responses").fetchall()
    found, true = {(ip, port): outcome for ip, port, outcome, _ in rows}, expected()
    wrong = Counter(
        (true.get(key), found.get(key)) for key in true.keys() | found.keys() if true.get(key) != found.get(key)
    )
    assert wrong == {}
    assert len(rows) == len(true) > 100
    assert set(true.values()) >= {"echoed", "rejected", "silent", "zero_window", "unacknowledged"}
    assert {ttl for *_, ttl in rows} == {None}


@pytest.fixture(scope="module")
def ours(lake: Path) -> list[dpkt.ip.IP]:
    """Packets from our address; the simulated hosts' packets leave through a ring, which this capture does not see."""
    return [packet for packet in packets(lake.parent / "wire.pcap") if packet.src == VANTAGE]


def test_receipts_count_what_was_on_the_wire(lake: Path, ours: list[dpkt.ip.IP]) -> None:
    """The receipts' counts of SYNs, retransmissions, connections and refusals equal the capture's; there are no extra probes."""
    sent_by: defaultdict[tuple[bytes, int], list[int]] = defaultdict(list)
    for packet in ours:
        sent_by[packet.dst, packet.data.dport].append(packet.data.flags)
    # The kernel resets forged SYN-ACKs that answer nothing. No receipt counts them, since the kernel does not report them.
    sent_to = {who: flags for who, flags in sent_by.items() if dpkt.tcp.TH_SYN in flags}
    syns = sum(flags.count(dpkt.tcp.TH_SYN) for flags in sent_to.values())
    acked = {who for who, flags in sent_to.items() if any(each & dpkt.tcp.TH_ACK for each in flags)}
    refusing = [who for who, flags in sent_to.items() if who not in acked and flags.count(dpkt.tcp.TH_SYN) == 1]
    with connection.connect(lake) as con:
        names = ["probes_sent", "syn_retransmits", "greetings", "resets", "connects", "second_probes", "control_probes"]
        sums = ", ".join(f"sum({name})" for name in names)
        sent, again, greetings, resets, *beside = con.execute(f"SELECT {sums} FROM receipts").fetchone() or ()
    assert sent == len(sent_to) == TARGETS
    # On a busy machine the kernel may send another SYN after our last look at a socket and before it is closed.
    assert 0 <= syns - sent - again <= syns / 1000
    assert greetings == len(expected())
    assert resets == len(refusing) > 3
    assert beside == [0, 0, 0]


def test_no_connection_is_bare(ours: list[dpkt.ip.IP]) -> None:
    """Every connection that we acknowledge carries our request first, except to peers whose window stays shut."""
    said, opening = streams(ours), dpkt.tcp.TH_SYN | dpkt.tcp.TH_RST
    stood = {(packet.dst, packet.data.sport, packet.data.dport) for packet in ours if not packet.data.flags & opening}
    shut = {key for key, outcome in expected().items() if outcome == "zero_window"}
    silent = {(int.from_bytes(address), port) for address, _, port in stood - said.keys()}
    assert len(said) > 80
    assert all(stream.startswith(b"\x01\x00") for stream in said.values())
    assert silent <= shut


def test_the_budget_holds(lake: Path) -> None:
    """The sweep keeps its rate: each target is charged two SYNs, since the kernel repeats an unanswered SYN once."""
    with connection.connect(lake) as con:
        (seconds,) = con.execute("SELECT sum(send_seconds) FROM receipts").fetchone() or (0.0,)
    assert seconds > 0.95 * 2 * TARGETS / RATE
