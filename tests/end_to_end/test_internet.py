"""A sweep of a simulated internet with every behaviour, decoys, forgeries and real servers, compared with the truth."""

import subprocess
from collections import Counter
from pathlib import Path

import dpkt
import pytest

from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.testbed.running import ROOT, environment, frozen, in_testbed

SPEC = ROOT / "tests" / "data" / "internet.toml"
SWEEP = ROOT / "tests" / "data" / "internet-sweep.toml"
PORTS = (104, 11112)
TARGETS = 2 * (2**15 + 2**10)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sweep."""
    folder = tmp_path_factory.mktemp("internet")
    frozen(SWEEP, folder / "plan.json")
    work = ("work", str(folder / "plan.json"), "--lake", str(folder / "lake"), "--pcap", str(folder / "answers.pcap"))
    command = in_testbed(*work, spec=SPEC)
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder / "lake"


def expected() -> dict[tuple[int, int], str]:
    """The outcome of every target of the sweep that has one."""
    inside = {11 << 24: 2**15, (11 << 24) + (1 << 16): 2**10}
    rows = truth.truth(spec.load(SPEC), PORTS)
    return {
        (row.address, row.port): row.outcome
        for row in rows
        if row.outcome and any(first <= row.address < first + size for first, size in inside.items())
    }


def test_every_row_is_the_truth(lake: Path) -> None:
    """Each host has the true outcome: no row is missing, spurious or wrong, despite wrong checksums and forgeries."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    found, true = {(ip, port): outcome for ip, port, outcome in rows}, expected()
    wrong = Counter(
        (true.get(key), found.get(key)) for key in true.keys() | found.keys() if true.get(key) != found.get(key)
    )
    assert wrong == {}
    assert len(rows) == len(true) > 700
    assert set(true.values()) >= {"echoed", "rejected", "aborted", "tls", "silent", "zero_window", "unacknowledged"}


def test_second_looks_and_controls_are_what_is_there(lake: Path) -> None:
    """Without loss both SYNs are answered alike; on the control port only the hosts that answer on every port answer."""
    with connection.connect(lake) as con:
        columns = "sum(second_probes), sum(seen_twice), sum(first_only), sum(second_only), sum(control_probes), sum(control_answers)"
        second, twice, first_only, second_only, controls, answered = (
            con.execute(f"SELECT {columns} FROM receipts").fetchone() or ()
        )
        everything = con.execute("SELECT DISTINCT ip >> 8 FROM controls").fetchall()
        rows = con.execute("SELECT count(*), count(*) FILTER (answered_first AND answered_second) FROM second_syns")
        assert rows.fetchall() == [(twice, twice)]
        missed = "SELECT count(*) FROM second_syns ANTI JOIN responses USING (sweep, ip, port)"
        assert con.execute(missed).fetchall() == [(0,)]
        joined = (
            "FROM second_syns JOIN responses USING (sweep, ip, port) WHERE answered_first AND accepts_data(outcome)"
        )
        hosts = con.execute(f"SELECT count(*), count(*) FILTER (answered_second) {joined}").fetchone()
        assert con.execute("SELECT sum(took), sum(took_twice) FROM receipts").fetchone() == hosts
        assert hosts and 0 < hosts[1] <= hosts[0] < twice
    assert abs(second - TARGETS * 0.2) < 5 * (TARGETS * 0.16) ** 0.5
    assert abs(controls - TARGETS * 0.1) < 5 * (TARGETS * 0.08) ** 0.5
    assert twice > 100
    assert first_only == second_only == 0
    assert answered > 20
    assert everything == [(0x0B0102,)]


def test_the_capture_holds_the_answers_that_count(lake: Path) -> None:
    """The capture has at least every SYN-ACK that the receipts count, and none from a forged source."""
    with (lake.parent / "answers.pcap").open("rb") as file:
        packets = [dpkt.ip.IP(packet) for _, packet in dpkt.pcap.Reader(file)]
    with connection.connect(lake) as con:
        (answers,) = con.execute("SELECT sum(answers) FROM receipts").fetchone() or ()
        seen = {row[0] for row in con.execute("SELECT ip FROM responses UNION SELECT ip FROM controls").fetchall()}
    opening = [packet for packet in packets if packet.data.flags == dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK]
    assert len(opening) >= answers > 700
    assert {int.from_bytes(packet.src) for packet in opening} <= seen


def test_forgeries_and_broken_frames_are_counted(lake: Path) -> None:
    """Receipts count SYN-ACKs that answer no probe, frames with wrong checksums, and every SYN."""
    with connection.connect(lake) as con:
        sums = "sum(ring_invalid), sum(ring_corrupt), sum(ring_dropped), sum(probes_sent)"
        invalid, corrupt, dropped, sent = con.execute(f"SELECT {sums} FROM receipts").fetchone() or ()
    assert invalid > 1000
    assert corrupt > 10
    assert (dropped, sent) == (0, TARGETS)
