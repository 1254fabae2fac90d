"""A sweep by AF_XDP counts a simulated internet exactly; if the machine refuses AF_XDP, it warns and uses packet rings."""

import subprocess
from pathlib import Path

from pipeline.views import connection
from tests.end_to_end.test_internet import SPEC, SWEEP, TARGETS, expected
from tests.testbed.running import CENSUS, ROOT, environment, in_testbed

#: Runs a command without locked memory, which AF_XDP needs and packet rings do not need.
UNLOCKED = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--", "prlimit", "--memlock=0:0", "--"]
REFUSED = "warning: no AF_XDP on vantage0: No buffer space available; frames leave through packet rings"


def swept(folder: Path, before: list[str], changes: dict[str, str]) -> tuple[Path, list[str]]:
    """The lake of a sweep by engine `xdp` with a changed configuration, and the sweep's AF_XDP warnings."""
    config = SWEEP.read_text().replace("[probe]\n", '[probe]\nengine = "xdp"\n')
    for old, new in changes.items():
        config = config.replace(old, new)
    (folder / "sweep.toml").write_text(config)
    plan = [*CENSUS, "plan", str(folder / "sweep.toml"), "-o", str(folder / "plan.json")]
    subprocess.run(plan, cwd=ROOT, env=environment(folder), check=True, capture_output=True, timeout=60)
    work = in_testbed("work", str(folder / "plan.json"), "--lake", str(folder / "lake"), spec=SPEC)
    ended = subprocess.run(
        [*before, *work], cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder / "lake", [line for line in ended.stderr.splitlines() if line.startswith("warning: no AF_XDP")]


def found(lake: Path) -> dict[tuple[int, int], str]:
    """The outcome of every target that has a row."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    keyed = {(ip, port): outcome for ip, port, outcome in rows}
    assert len(keyed) == len(rows)
    return keyed


def test_a_whole_sweep_is_the_truth(tmp_path: Path) -> None:
    """Every host has its true outcome and no row is spurious; every SYN left, and none through packet rings."""
    lake, warnings = swept(tmp_path, [], {})
    assert warnings == []
    assert found(lake) == expected()
    with connection.connect(lake) as con:
        columns = "sum(probes_sent), sum(ring_rejected), sum(second_only), list(DISTINCT engine)"
        assert con.execute(f"SELECT {columns} FROM receipts").fetchone() == (TARGETS, 0, 0, ["xdp"])


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
