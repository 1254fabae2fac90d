"""A calibration finds the known rate at which answers begin to be lost."""

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import GuardError, InputError
from pipeline.lake import store
from pipeline.record.receipt import Receipt
from pipeline.sweep import calibrate
from pipeline.sweep.calibrate import RateStep
from tests.testbed.running import CENSUS, ROOT, environment

#: Packets a second that get through, conversations included.
BOTTLENECK = 1500
WORLD = f"""
[internet]
seed = 7
bottleneck = {BOTTLENECK}

[[internet.block]]
addresses = ["11.0.0.0/19"]
ports = [104]
density = 0.1
mix = {{ silent = 1 }}
"""
SWEEP = """
sweep = { name = "calibration", ports = [104], seed = 3, rate = 1, shards = 1 }
targets = { include = ["11.0.0.0/19"] }
probe = { cooldown = 1.0 }
"""


def step(rate: int, low: float, loss: float, high: float, sent: float | None = None) -> RateStep:
    return RateStep(rate, rate if sent is None else sent, 1000, loss, low, high, 0, 0)


@pytest.mark.alone
def test_the_knee_is_where_the_bottleneck_is(tmp_path: Path) -> None:
    """A path with a limit of 1,500 packets a second loses none at 1,000 and many at 2,000; no host is visited twice."""
    (tmp_path / "world.toml").write_text(WORLD)
    (tmp_path / "sweep.toml").write_text(SWEEP)
    asked = [
        "calibrate",
        str(tmp_path / "sweep.toml"),
        "--lowest",
        "500",
        "--steps",
        "3",
        "-o",
        str(tmp_path / "c.json"),
    ]
    command = [*CENSUS, "testbed", "run", "--spec", str(tmp_path / "world.toml"), "--", *CENSUS, *asked]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads((tmp_path / "c.json").read_text())
    assert (found["knee"], found["reason"]) == (1000, "loss")
    assert [each["rate"] for each in found["steps"]] == [500, 1000, 2000]
    assert all(each["loss"] < 0.01 for each in found["steps"][:2])
    assert 0.05 < found["steps"][2]["loss"] < 0.6
    # The steps last some seconds, of which visits and pauses between shards take their part.
    assert all(0.4 * each["rate"] < each["sent"] < 1.1 * each["rate"] for each in found["steps"])
    assert "knee: 1,000 probes a second" in ended.stdout
    (counted,) = re.findall(r"internet: (\{.*\})", ended.stderr)
    assert json.loads(counted)["visited_again"] == 0


def test_what_ends_it() -> None:
    """Loss above the first step's interval and 1 %, or a slow sender, ends a calibration; the knee is the step before."""
    good, lossy = step(1000, 0.0, 0.001, 0.004), step(2000, 0.02, 0.03, 0.04)
    same, short = step(2000, 0.005, 0.02, 0.03), step(4000, 0.0, 0.0, 0.01, sent=1900)
    assert calibrate._loses(lossy, good) and not calibrate._loses(same, good)
    assert short.short and not good.short
    assert calibrate._loses(first := step(1000, 0.05, 0.1, 0.2), first)


def test_syn_proxies_hide_no_loss() -> None:
    """Networks that answer every SYN and lose nothing do not count: a step's loss is of the hosts that took our request."""
    counted = Receipt(probes_sent=2000, second_probes=2000, seen_twice=970, second_only=30, took=100, took_twice=70)
    of_step = calibrate._step(1000, [msgspec.structs.replace(counted, started_at=1_000_000, send_seconds=2.0)])
    assert (of_step.answered, round(of_step.loss, 9)) == (100, 0.3)


def test_only_in_a_testbed_or_where_it_is_signed_for(tmp_path: Path) -> None:
    """Outside a testbed, unsigned targets are refused before anything is sent; too many steps are refused too."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    with pytest.raises(GuardError, match="a calibration is for signed ranges only"):
        calibrate.calibration_plan(tmp_path / "sweep.toml", lowest=1000, steps=3)
    with pytest.raises(InputError, match="2 to 9"):
        calibrate.calibration_plan(tmp_path / "sweep.toml", lowest=1000, steps=10)
    assert not (store.at(str(tmp_path)) / "plans").exists()
