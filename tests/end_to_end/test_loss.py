"""The loss that a sweep estimates, compared with the true loss."""

import subprocess
from pathlib import Path

from pipeline.statistics.recapture import detection
from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.testbed.running import ROOT, environment, frozen, in_testbed, swept

LOSS = 0.05
WORLD = f"""
[internet]
seed = 12
loss = {LOSS}
persistent = 0.0

[[internet.block]]
addresses = ["11.0.0.0/18"]
ports = [104]
density = 0.25
mix = {{ silent = 1, http = 1 }}
"""
SWEEP = """
sweep = { name = "lossy", ports = [104], seed = 3, rate = 4000, shards = 1 }
targets = { include = ["11.0.0.0/18"] }
loss = { sample = 1.0, delay = 1.0 }
alarm = { false_alarms = 0.0 }
probe = { cooldown = 2.0 }
"""


#: One network answers every SYN and says nothing more; another, with services, loses three of ten SYN-ACKs.
PROXIED = """
[internet]
seed = 5
persistent = 0.0

[[internet.block]]
addresses = ["11.0.0.0/20"]
ports = [104]
density = 1.0
country = "US"
mix = { silent = 1 }

[[internet.block]]
addresses = ["11.1.0.0/18"]
ports = [104]
density = 0.125
country = "GB"
unheard = 0.3
mix = { accepts = 1, http = 4 }
"""
BOTH = SWEEP.replace('"11.0.0.0/18"', '"11.0.0.0/20", "11.1.0.0/18"')


def test_a_network_that_answers_everything_hides_no_loss(tmp_path: Path) -> None:
    """Next to a network that answers every SYN the loss of another is seen, and services are said to be missing.

    How many is not judged: hosts that send nothing twice lose second visits as well, which no second SYN measures.
    """
    for name, text in (("world.toml", PROXIED), ("sweep.toml", BOTH)):
        (tmp_path / name).write_text(text)
    swept(tmp_path / "sweep.toml", tmp_path, spec=tmp_path / "world.toml")
    services = sum(row.outcome == "echoed" for row in truth.truth(spec.load(tmp_path / "world.toml"), (104,)))
    with connection.connect(tmp_path / "lake") as con:
        ((detection, low, high),) = con.execute("SELECT detection, detection_low, detection_high FROM loss").fetchall()
        ((found, least, most),) = con.execute(
            "SELECT services, there_low, there_high FROM reachable WHERE of_all"
        ).fetchall()
    print(f"{found} of {services} services; estimated {least:.0f} to {most:.0f}; one SYN sees {detection:.3f}")
    assert services > 350 and found < 0.96 * services
    assert abs(detection - 0.7) < 0.08 and high - low < 0.1  # five standard deviations of some 850 hosts
    assert found < least < services


def test_the_estimate_agrees_with_the_truth(tmp_path: Path) -> None:
    """With 5 % loss each way and hosts that answer once, one SYN finds (1 - 0.05)² of the hosts, and the sweep estimates this share.
    The hosts that only the second SYN found are visited too, and counted once."""
    for name, text in (("world.toml", WORLD), ("sweep.toml", SWEEP)):
        (tmp_path / name).write_text(text)
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    work = in_testbed(
        "work", str(tmp_path / "plan.json"), "--lake", str(tmp_path / "lake"), spec=tmp_path / "world.toml"
    )
    ended = subprocess.run(work, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr[-3000:]
    hosts = sum(1 for row in truth.truth(spec.load(tmp_path / "world.toml"), (104,)) if row.outcome)
    with connection.connect(tmp_path / "lake") as con:
        query = "SELECT sum(seen_twice), sum(seen_twice + second_only), sum(ring_dropped) FROM receipts"
        both, second, dropped = con.execute(query).fetchone() or (0, 0, 0)
        (seen,) = con.execute("SELECT count(*) FROM responses").fetchone() or (0,)
        visits = con.execute("SELECT sum(second_visits), sum(second_only) FROM receipts").fetchone() or (0, 0)
        query = """
            SELECT count(*) FROM responses JOIN second_syns AS looks ON looks.ip = responses.ip AND looks.port = responses.port
            WHERE NOT looks.answered_first"""
        (visited,) = con.execute(query).fetchone() or (0,)
    told, true = detection(both, second, 1 - 1e-6), (1 - LOSS) ** 2
    assert hosts > 3500 and dropped == 0
    assert told.low <= true <= told.high
    assert visits == (visited, visited) and visited > 200
    assert abs((seen - visited) / hosts - true) < 4 * (true * (1 - true) / hosts) ** 0.5
