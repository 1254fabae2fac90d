"""Sweeps by AF_XDP and by live frames count a simulated internet exactly; a machine that refuses one is told of in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.views import connection
from tests.end_to_end.test_internet import SPEC, SWEEP, TARGETS, expected
from tests.testbed.running import ROOT, environment, frozen, in_testbed

#: Runs a command without locked memory, which AF_XDP needs and packet rings do not need.
UNLOCKED = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--", "prlimit", "--memlock=0:0", "--"]
REFUSED = "warning: no AF_XDP on vantage0: No buffer space available; frames leave through packet rings"


def swept(folder: Path, before: list[str], changes: dict[str, str], engine: str = "xdp") -> tuple[Path, list[str]]:
    """The lake of a sweep by an engine with a changed configuration, and the sweep's warnings of its engine."""
    config = SWEEP.read_text().replace("[probe]\n", f'[probe]\nengine = "{engine}"\n')
    for old, new in changes.items():
        config = config.replace(old, new)
    (folder / "sweep.toml").write_text(config)
    frozen(folder / "sweep.toml", folder / "plan.json")
    work = in_testbed("work", str(folder / "plan.json"), "--lake", str(folder / "lake"), spec=SPEC)
    if engine == "xdp-live":  # before census runs in the testbed, its far end learns to take live frames
        work[(at := work.index("--") + 1) : at] = [sys.executable, "-m", "tests.rings.far_end"]
    ended = subprocess.run(
        [*before, *work], cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder / "lake", [
        line for line in ended.stderr.splitlines() if line.startswith(("warning: no AF_XDP", "warning: no live"))
    ]


def found(lake: Path) -> dict[tuple[int, int], str]:
    """The outcome of every target that has a row."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    keyed = {(ip, port): outcome for ip, port, outcome in rows}
    assert len(keyed) == len(rows)
    return keyed


@pytest.mark.parametrize("engine", ["xdp", pytest.param("xdp-live", marks=pytest.mark.bpf)])
def test_a_whole_sweep_is_the_truth(tmp_path: Path, engine: str) -> None:
    """Every host has its true outcome and no row is spurious; every SYN left, and none by another engine.

    Where the kernel counts what the driver took, that is every SYN of the plan and every extra probe.
    """
    lake, warnings = swept(tmp_path, [], {}, engine)
    assert warnings == []
    assert found(lake) == expected()
    with connection.connect(lake) as con:
        columns = "sum(probes_sent), sum(ring_rejected), sum(second_only), list(DISTINCT engine)"
        assert con.execute(f"SELECT {columns} FROM receipts").fetchone() == (TARGETS, 0, 0, [engine])
        taken, sent = con.execute(
            "SELECT sum(frames_taken), sum(probes_sent + second_probes + control_probes) FROM receipts"
        ).fetchone()
    assert taken is None if engine == "xdp" else TARGETS <= taken <= sent


def test_where_it_is_refused_packet_rings_do_it(tmp_path: Path) -> None:
    """A process without locked memory warns in one line that it uses packet rings, and finds the truth all the same."""
    few = {'["11.0.0.0/17", "11.1.0.0/22"]': '["11.0.0.0/21", "11.1.2.0/27"]'}
    lake, warnings = swept(tmp_path, UNLOCKED, few)
    assert warnings == [REFUSED]
    inside = [(11 << 24, 2**11), ((11 << 24) + (1 << 16) + (2 << 8), 2**5)]
    true = {
        (ip, port): outcome
        for (ip, port), outcome in expected().items()
        if any(first <= ip < first + size for first, size in inside)
    }
    assert found(lake) == true
    with connection.connect(lake) as con:
        assert con.execute("SELECT list(DISTINCT engine) FROM receipts").fetchone() == (["ring"],)
