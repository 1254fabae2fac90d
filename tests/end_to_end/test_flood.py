"""A sweep under 60,000 forged SYN-ACKs a second finds every host, and invents none."""

from pathlib import Path

from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.testbed.running import ROOT, swept

SPEC = ROOT / "tests" / "data" / "flood.toml"
SWEEP = """
sweep = { name = "flood", ports = [104], seed = 1, rate = 8000, shards = 1, profile = "echo" }
targets = { include = ["11.0.0.0/16"] }
probe = { cooldown = 4.0, engine = "ring" }
"""


def test_forged_answers_invent_nobody(tmp_path: Path) -> None:
    """SYN-ACKs of everybody in the target space, several to each probe, are counted as no answers, and hide no host."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    paths = swept(tmp_path / "sweep.toml", tmp_path, spec=SPEC)
    with connection.connect(paths.lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
        sums = "sum(ring_invalid), sum(probes_sent), sum(epoch(finished_at - started_at)) FROM receipts"
        ((invalid, sent, seconds),) = con.execute(f"SELECT {sums}").fetchall()
    true = {(row.address, row.port): row.outcome for row in truth.truth(spec.load(SPEC), (104,)) if row.outcome}
    assert {(ip, port): outcome for ip, port, outcome in rows} == true and len(rows) == len(true) > 100
    print(f"{invalid:,} forged SYN-ACKs in {seconds:.0f} s")
    assert invalid > 4 * sent
