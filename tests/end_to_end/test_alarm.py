"""A sweep whose targets stop answering stops itself, reports the reason, and after `census go` misses none of them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from pipeline.optout import register
from pipeline.optout.events import Stop
from pipeline.testbed import spec, truth
from pipeline.views import connection
from tests.testbed.running import CENSUS, ROOT, environment, frozen

WORLD = """
[internet]
seed = 7
quiet_after = 5.0
quiet_until = 14.0

[[internet.block]]
addresses = ["11.0.0.0/17"]
ports = [104]
density = 0.05
mix = { silent = 1 }

[[internet.block]]
addresses = ["11.1.0.7"]
ports = [104]
density = 1.0
mix = { silent = 1 }
"""
SWEEP = """
sweep = { name = "quiet", ports = [104], seed = 3, rate = 3000, shards = 16 }
targets = { include = ["11.0.0.0/17"] }
loss = { sample = 0.0 }
control = { sample = 0.0 }
probe = { cooldown = 1.0 }
"""
#: Sweep until the register has a stop, save the status, and lift each stop until the sweep ends, once hosts answer again.
SCRIPT = """
set -e
{census} work {folder}/plan.json --lake {folder}/lake &
worker=$!
for _ in $(seq 900); do
    sleep 0.1
    if grep -q '"stop"' {folder}/lake/optout.jsonl 2>/dev/null; then break; fi
done
sleep 9
{census} status {folder}/lake --json > {folder}/status.json
while kill -0 $worker 2>/dev/null; do
    if [ $(grep -c '"stop"' {folder}/lake/optout.jsonl) -gt $(grep -c '"go"' {folder}/lake/optout.jsonl) ]; then
        {census} go {folder}/lake/optout.jsonl --who test || true
    fi
    sleep 0.5
done
wait $worker
{census} verify {folder}/lake
"""


def swept(tmp_path: Path, sweep: str) -> tuple[Stop, dict[str, Any]]:
    """The stop that a sweep wrote into the register, and its status at that time; `verified` is what `census verify` says."""
    for name, text in (("world.toml", WORLD), ("sweep.toml", sweep)):
        (tmp_path / name).write_text(text)
    (tmp_path / "run.sh").write_text(SCRIPT.format(census=" ".join(CENSUS), folder=tmp_path))
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    run = ["testbed", "run", "--spec", str(tmp_path / "world.toml"), "--", "bash", str(tmp_path / "run.sh")]
    ended = subprocess.run(
        [*CENSUS, *run], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    events = register.load(register.at(str(tmp_path / "lake" / "optout.jsonl")))[1].events
    stop = next(event for event in events if isinstance(event, Stop))
    return stop, json.loads((tmp_path / "status.json").read_text("utf-8")) | {"verified": ended.stderr}


def test_silence_stops_the_sweep(tmp_path: Path) -> None:
    """The alarm writes a stop with its counts; status shows the stop and how to lift it; after `census go` the sweep finishes.

    What was finished since the last good sign is run again: every host has one row, as if it had never been silent, and
    `census verify` owns up to it.
    """
    stop, status = swept(tmp_path, SWEEP)
    assert stop.who == "census" and stop.reason.startswith("the hit rate fell: ")
    assert "the hit rate fell" in status["stopped_by_register"] and "census go" in status["stopped_by_register"]
    assert status["ranges_void"] >= 1
    assert re.search(r"void and (its range|their ranges) run again: the hit rate fell", status["verified"])
    assert_nothing_is_missing(tmp_path)


def assert_nothing_is_missing(folder: Path) -> None:
    """Each host has one row, and ranges were run again for that."""
    with connection.connect(folder / "lake") as con:
        rows = con.execute("SELECT ip, outcome FROM responses").fetchall()
        (attempts, ranges) = con.execute("SELECT sum(attempts), count(*) FROM receipts").fetchone() or (0, 0)
    true = truth.truth(spec.load(folder / "world.toml"), (104,))
    assert sorted(rows) == sorted(
        (row.address, row.outcome) for row in true if row.outcome and row.address < 11 << 24 | 1 << 15
    )
    assert attempts > ranges


def test_a_silent_control_target_stops_the_sweep(tmp_path: Path) -> None:
    """Control targets are probed throughout and results kept; three silences in a row stop the sweep, which can then resume.

    What was finished since the last answer of the silent one is run again.
    """
    alive = 'control = { sample = 0.0, targets = ["11.1.0.7:104"], interval = 1.0 }\nalarm = { false_alarms = 0.0 }'
    stop, status = swept(tmp_path, SWEEP.replace("control = { sample = 0.0 }", alive))
    assert stop.reason.startswith("control target 11.1.0.7:104 is silent: 3 SYNs without an answer")
    assert "control target 11.1.0.7:104 is silent" in status["stopped_by_register"]
    with connection.connect(tmp_path / "lake") as con:
        answered = [row[0] for row in con.execute("SELECT answered FROM control_targets ORDER BY asked_at").fetchall()]
        (kept,) = con.execute("SELECT sum(control_checks) FROM receipts").fetchone() or ()
    assert answered[:3] == [True] * 3 and answered.count(False) >= 3
    assert kept == len(answered)
    assert re.search(r"ranges? run again: control target 11\.1\.0\.7:104 is silent", status["verified"])
    assert_nothing_is_missing(tmp_path)
