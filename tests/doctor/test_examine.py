"""All checks together, as `census doctor` and `census sweep` make them."""

import json
import re
import subprocess
from pathlib import Path

from pipeline.doctor.examine import CHECKS
from tests.testbed.running import CENSUS, ROOT, environment, in_testbed

DEMO = "data/testbed/demo-sweep.toml"


def test_a_closed_testbed_is_fit(tmp_path: Path) -> None:
    """In a testbed the demo's configuration meets no stop, and every check that applies says so."""
    command = in_testbed("doctor", DEMO, "--lake", str(tmp_path / "lake"), "--json")
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert "stop" not in {row["level"] for row in found}
    assert {check.name for check in CHECKS} - {row["check"] for row in found} == {"announcement"}
    assert all(row["text"] and (row["level"] == "ok" or row["remedy"]) for row in found)


def test_outside_a_testbed(tmp_path: Path) -> None:
    """Where only testbeds are allowed, identity and next hop are stops; lines name what to do, and the exit code is 3."""
    ended = subprocess.run(
        [*CENSUS, "doctor", DEMO, "--lake", str(tmp_path / "lake")],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 3
    assert "a sweep would not work like this:" in ended.stderr
    assert "stop     identity" in ended.stdout and "unset CENSUS_ONLY_TESTBED" in ended.stdout


def test_a_sweep_makes_the_quick_checks(tmp_path: Path) -> None:
    """A sweep that packet rings cannot send is refused at once, with what to do, before anything is in the lake."""
    (tmp_path / "sweep.toml").write_text(
        'sweep = { name = "ring", ports = [104], seed = 1, rate = 400 }\ntargets = { include = ["11.0.0.0/24"] }\n'
        'probe = { engine = "ring" }\n'
    )
    config = str(tmp_path / "sweep.toml")
    inside = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", *CENSUS, "sweep", config]
    command = [*CENSUS, "testbed", "run", "--", *inside, "--lake", str(tmp_path / "lake")]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "privileges: CAP_NET_RAW lacks; run as root" in ended.stderr
    assert not (tmp_path / "lake" / "plans").exists()


def test_the_rate_of_this_machine(tmp_path: Path) -> None:
    """The measurement sends up to the plan's rate in a testbed of its own, says what was sent and lost, and warns of too little."""
    (tmp_path / "sweep.toml").write_text(
        'sweep = { name = "doctor", ports = [104], seed = 1, rate = 400 }\ntargets = { include = ["11.0.0.0/24"] }\n'
    )
    command = [*CENSUS, "doctor", str(tmp_path / "sweep.toml"), "--lake", str(tmp_path / "lake"), "--rate", "--json"]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240)
    last = json.loads(ended.stdout.splitlines()[-1])
    told = re.fullmatch(
        r"this machine sent (\d+) of 400 probes/s and lost (\d+\.\d\d)% of the answers(; it holds .*)?", last["text"]
    )
    assert last["check"] == "rate" and told, last
    assert 0 < int(told[1]) <= 440
    assert last["level"] == ("warning" if told[3] else "ok")
