"""The harm check on a simulated internet distinguishes hosts that a visit ends from hosts that end by themselves."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.statistics.difference import difference
from pipeline.views import connection
from tests.testbed.running import CENSUS, ROOT, environment, frozen, in_testbed

WORLD, SWEEP = (ROOT / "tests" / "data" / name for name in ("harm.toml", "harm-sweep.toml"))
#: The arms are drawn anew in each sweep, so an interval of 95 % would miss the truth in one run of twenty.
SURE = 1 - 1e-6
#: The block with fragile hosts, and the block with mortal hosts.
FRAGILE, MORTAL = 11 << 24, (11 << 24) + (64 << 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lake of the sweep."""
    folder = tmp_path_factory.mktemp("harm")
    frozen(SWEEP, folder / "plan.json")
    ended = subprocess.run(work(folder), cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder


def work(folder: Path) -> list[str]:
    return in_testbed("work", str(folder / "plan.json"), "--lake", str(folder / "lake"), spec=WORLD)


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with connection.connect(folder / "lake") as con:
        return con.execute(query).fetchall()


def arms(folder: Path, first: int) -> dict[str, tuple[int, int]]:
    """The numbers of gone and alive hosts of each arm, within a /18."""
    mart = (ROOT / "analysis" / "marts" / "harm_arms.sql").read_text("utf-8")
    narrowed = mart.replace("FROM harm\n", f"FROM (FROM harm WHERE ip >> 14 = {first >> 14}) AS harm\n")
    return {arm: (ended, alive) for _, arm, alive, ended, _ in asked(folder, narrowed)}


def test_visits_that_end_hosts_are_told(folder: Path) -> None:
    """With a quarter of fragile hosts, the interval of the difference is above zero and contains the quarter."""
    found = arms(folder, FRAGILE)
    told = difference(*found["visited"], *found["unvisited"])
    assert 0.02 < told.low < told.value < 0.4
    assert found["unvisited"][0] == 0
    gone, alive = found["speaker"]
    assert 0.3 < gone / alive < 0.6


def test_hosts_that_end_by_themselves_are_no_harm(folder: Path) -> None:
    """With hosts that end by themselves, some are gone in both arms, and the interval of the difference extends below zero."""
    found = arms(folder, MORTAL)
    told = difference(*found["visited"], *found["unvisited"], level=SURE)
    assert found["visited"][0] + found["unvisited"][0] > 0
    assert told.low < 0 < told.high and told.value < 0.2


def test_everything_adds_up(folder: Path) -> None:
    """Receipts, tables and plan add up; each deferred target was visited once and has its row."""
    verified = [*CENSUS, "verify", str(folder / "lake")]
    subprocess.run(verified, cwd=ROOT, env=environment(folder), check=True, capture_output=True, timeout=60)
    ((held, checked, responses),) = asked(
        folder,
        "SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM harm WHERE arm <> 'speaker'), "
        "(SELECT count(*) FROM held JOIN responses USING (sweep, ip, port))",
    )
    assert held == checked == responses > 500
    ((round_trip,),) = asked(
        folder, "SELECT quantile_cont(epoch(asked_after_at - visited_at), 0.5) FROM harm WHERE arm <> 'speaker'"
    )
    assert 5.5 < round_trip < 9


def test_both_arms_are_checked_in_the_same_way(folder: Path) -> None:
    """The check of an unvisited host comes before its visit, as long after its turn and its answer as that of a visited host."""
    per_arm = asked(
        folder,
        "SELECT arm, quantile_cont(epoch(checked_at - due_at), 0.5), quantile_cont(epoch(checked_at - answered_at), 0.5), "
        "bool_and(due_at IS NOT NULL) FROM ("
        "SELECT *, CASE arm WHEN 'visited' THEN asked_after_at ELSE asked_before_at END AS checked_at FROM harm) "
        "WHERE arm <> 'speaker' GROUP BY arm ORDER BY arm",
    )
    (_, since_due, since_answer, due), (_, other_due, other_answer, other) = per_arm
    assert due and other
    assert since_due == pytest.approx(other_due, abs=0.5, rel=0.05) and 5.5 < since_due < 9
    assert since_answer == pytest.approx(other_answer, abs=0.5, rel=0.05)
    ((early,),) = asked(folder, "SELECT count(*) FROM harm WHERE arm = 'unvisited' AND visited_at <= asked_before_at")
    assert early == 0


def test_the_next_sweep_leaves_the_silent_alone(folder: Path) -> None:
    """A host that answered neither of two SYNs after its visit is quarantined; the next sweep sends it no SYN and counts it."""
    listed = [*CENSUS, "quarantine", str(folder / "lake" / "optout.jsonl"), "list", "--json"]
    told = subprocess.run(listed, cwd=ROOT, env=environment(folder), check=True, capture_output=True, text=True)
    ((silent,),) = asked(
        folder,
        "SELECT count(*) FROM harm JOIN responses USING (sweep, ip, port) "
        "WHERE NOT alive_after AND repeated_after AND close_stage <> 'connect'",
    )
    assert len(told.stdout.splitlines()) == silent > 100
    text = SWEEP.read_text("utf-8").replace("[harm]\nsample = 0.5\ndelay = 6.0\n", "").replace('"harm"', '"next"')
    (folder / "next.toml").write_text(text)
    frozen(folder / "next.toml", folder / "plan.json")
    subprocess.run(work(folder), cwd=ROOT, env=environment(folder), check=True, capture_output=True, timeout=180)
    ((quarantined, suppressed, sent),) = asked(
        folder,
        "SELECT sum(quarantined), sum(suppressed), sum(probes_sent) FROM receipts WHERE sweep LIKE '%-next'",
    )
    assert quarantined == suppressed == silent
    assert sent + quarantined == 2**15


def test_a_kill_visits_nobody_twice(tmp_path: Path) -> None:
    """After a worker is killed during visits of deferred targets, the next finishes; all adds up and no visit is repeated."""
    text = SWEEP.read_text("utf-8").replace("rate = 8000", "rate = 4000").replace("11.0.0.0/18", "11.0.0.0/19")
    (tmp_path / "sweep.toml").write_text(text.replace(', "11.64.0.0/18"', ""))
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    script = tmp_path / "killed.sh"
    script.write_text(KILLED.format(census=" ".join(CENSUS), folder=tmp_path))
    command = [*CENSUS, "testbed", "run", "--spec", str(WORLD), "--", "bash", str(script)]
    ended = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr[-3000:]
    ((visits, held, attempts),) = asked(
        tmp_path, "SELECT sum(connects), (SELECT count(*) FROM held), max(attempts) FROM receipts WHERE round = 3"
    )
    assert attempts == 2
    assert 0 < visits < held
    compared = asked(tmp_path, "SELECT arm FROM harm_arms WHERE arm <> 'speaker'")
    ranges = asked(
        tmp_path, "SELECT DISTINCT shard, range FROM held JOIN harm USING (sweep, ip, port) WHERE harm.attempt > 1"
    )
    assert ranges and (compared == [] or len(ranges) < len(asked(tmp_path, "SELECT DISTINCT shard, range FROM held")))


def test_silence_is_confirmed_from_another_address(tmp_path: Path) -> None:
    """With two source addresses, hosts that are gone for the visiting one alone answer the other; those that end by themselves do not.

    A `fragile` host is gone for the address that visited it, as one that blocks it would be.
    """
    text = SWEEP.read_text("utf-8").replace("/18", "/19").replace("delay = 6.0", "delay = 3.0")
    text = text.replace("sample = 0.5", "sample = 1.0").replace("shards = 1", "shards = 4")
    text = text.replace("[probe]\n", '[probe]\nsource = ["198.18.0.1", "198.18.0.3"]\n')
    (tmp_path / "sweep.toml").write_text(text)
    frozen(tmp_path / "sweep.toml", tmp_path / "plan.json")
    ended = subprocess.run(
        work(tmp_path), cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=180
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    rows = asked(
        tmp_path,
        f"SELECT ip < {MORTAL}, CASE arm WHEN 'unvisited' THEN alive_before ELSE alive_after END, alive_elsewhere, count(*) "
        "FROM harm GROUP BY ALL",
    )
    counts = {(fragile, alive, elsewhere): count for fragile, alive, elsewhere, count in rows}
    assert counts[True, False, True] > 20 and (True, False, False) not in counts
    assert counts[False, False, False] > 5
    assert not {(True, True, True), (True, True, False), (True, False, None), (False, False, None)} & counts.keys()
    blocking = dict(asked(tmp_path, "SELECT arm, blocking FROM harm_arms WHERE arm <> 'speaker'"))
    assert blocking["visited"] > 20 > blocking["unvisited"]


#: Kill the worker and its processes once the journal has visits of the third round, and run the worker again.
KILLED = """
set -e
setsid {census} work {folder}/plan.json --lake {folder}/lake &
worker=$!
for _ in $(seq 600); do
    sleep 0.1
    journal=$(ls {folder}/lake/work/*/journal/000-000002.1.responses.arrows 2>/dev/null || true)
    if [ -n "$journal" ] && [ "$(stat -c %s "$journal")" -gt 9000 ]; then break; fi
done
kill -KILL -- -$worker
wait $worker || true
{census} work {folder}/plan.json --lake {folder}/lake
{census} verify {folder}/lake
"""
