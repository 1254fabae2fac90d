"""A sweep by three senders from two source addresses finds the same truth, within one budget, with one SYN for each target."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from pipeline.views import connection
from tests.end_to_end.test_internet import SPEC, SWEEP, TARGETS, expected
from tests.testbed.running import ROOT, environment, frozen, in_testbed

SOURCES = ("198.18.0.1", "198.18.0.3")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sweep."""
    folder = tmp_path_factory.mktemp("senders")
    config = SWEEP.read_text().replace("shards = 2", "shards = 6")
    config = config.replace("[probe]\n", f"[probe]\nsource = {list(SOURCES)}\nsenders = 3\n".replace("'", '"'))
    (folder / "sweep.toml").write_text(config)
    frozen(folder / "sweep.toml", folder / "plan.json")
    work = ("work", str(folder / "plan.json"), "--lake", str(folder / "lake"))
    command = in_testbed(*work, spec=SPEC)
    ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder / "lake"


def test_every_row_is_the_truth(lake: Path) -> None:
    """Three senders find what one sender finds: no row is missing, spurious, wrong or duplicated."""
    with connection.connect(lake) as con:
        rows = con.execute("SELECT ip, port, outcome FROM responses").fetchall()
    found, true = {(ip, port): outcome for ip, port, outcome in rows}, expected()
    wrong = Counter(
        (true.get(key), found.get(key)) for key in true.keys() | found.keys() if true.get(key) != found.get(key)
    )
    assert wrong == {}
    assert len(rows) == len(true) > 700


def test_all_senders_send(lake: Path) -> None:
    """Each shard is sent from one address, both addresses are used, every target is probed once, and no answer is lost."""
    with connection.connect(lake) as con:
        vantages = con.execute("SELECT shard, list(DISTINCT vantage) FROM receipts GROUP BY shard").fetchall()
        probes, first_only, second_only, invalid = (
            con.execute(
                "SELECT sum(probes_sent), sum(first_only), sum(second_only), sum(ring_invalid) FROM receipts"
            ).fetchone()
            or ()
        )
    assert all(len(used) == 1 for _, used in vantages)
    assert {used[0] for _, used in vantages} == set(SOURCES)
    assert probes == TARGETS
    assert first_only == second_only == 0
    assert invalid > 0


def test_they_share_one_budget(lake: Path) -> None:
    """Together the senders take at least as long as the rate allows."""
    with connection.connect(lake) as con:
        (seconds,) = con.execute(
            "SELECT epoch(max(started_at + to_microseconds(CAST(send_seconds * 1e6 AS BIGINT))) - min(started_at)) FROM receipts"
        ).fetchone() or (0.0,)
    assert seconds > 0.95 * TARGETS / 20_000
