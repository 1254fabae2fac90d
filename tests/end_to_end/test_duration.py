"""How long a sweep really takes, compared with what its plan and its progress say."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from pipeline.plan import timing
from pipeline.testbed.closed import inside
from pipeline.views import connection
from tests.end_to_end.vantages import internet, place
from tests.testbed.running import CENSUS, ROOT, frozen

SWEEP = """
sweep = {{ name = "duration", ports = [104], seed = 5, rate = 400 {shards} }}
targets = {{ include = ["11.0.0.0/20"] }}
control = {{ sample = 0.0 }}
probe = {{ cooldown = 3.0 }}
"""
#: The share of the whole by which a time may be wrong.
WRONG = 0.1
#: What is told was looked up so long before at most, in seconds.
LOOK_SECONDS = 1.0


@pytest.mark.alone
@pytest.mark.parametrize("shards", ["", ", shards = 16"], ids=["fitting", "many"])
def test_it_is_known_before_and_meanwhile(shards: str, tmp_path: Path) -> None:
    """The plan's time and the time left are right within a tenth, cool-downs included, with the shards that fit and with many.

    The plan's is at the rate that the machine has held, which may be slow when other tests run.
    """
    (tmp_path / "sweep.toml").write_text(SWEEP.format(shards=shards))
    plan = frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    ends: list[float] = []
    with place(tmp_path) as at, internet(at):
        work = [*CENSUS, "work", str(tmp_path / "plan.json"), "--lake", str(tmp_path / "lake"), "--json"]
        with subprocess.Popen(
            [*inside(at.pair.vantage), *work], cwd=ROOT, env=at.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout or ():
                facts = json.loads(line)
                if facts["running"] and 0.2 < facts["done"] < 1:
                    ends.append(time.time() + facts["left_seconds"])
    assert process.returncode == 0
    with connection.connect(tmp_path / "lake") as con:
        query = """
            SELECT epoch(min(started_at)), epoch(max(finished_at)), sum(probes_sent + second_probes) / sum(send_seconds) FROM receipts
        """
        began, ended, held = con.execute(query).fetchone() or (0.0, 0.0, 0.0)
    planned, took = timing.left(plan, plan.targets, held), ended - began
    print(
        f"{planned:.1f} s at {held:.0f}/s, took {took:.1f} s; its end was told {[round(end - ended, 1) for end in ends]} s late"
    )
    assert planned == pytest.approx(took, rel=WRONG)
    assert len(ends) > took / 4
    assert all(abs(end - ended) < WRONG * took + LOOK_SECONDS for end in ends)
