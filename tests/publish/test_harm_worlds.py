"""The harm check in worlds with bursts of loss and slow hosts, through the mart, the interval and the sentence."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.config.sections import HarmSection
from pipeline.outcome import Arm
from pipeline.publish.harm_sentences import of_arms
from pipeline.statistics.difference import difference, repeated
from tests.analysis import lake

#: Loss comes in bursts, in seconds, and takes this share of the time; a check's SYNs are as far apart as the default cool-down.
BURST, LOST, COOLDOWN = 3.0, 0.02, 8.0
#: The share of hosts that end by themselves between their first answer and their check.
MORTAL = 0.003
WORLDS = [(harm, slow) for harm in (0.0, 0.01, 0.02) for slow in (0.01, 0.05)]


def answers(draw: np.random.Generator, hosts: int, slow: float) -> np.ndarray:
    """Which living hosts answer one of two SYNs: a packet is lost if a burst covers its departure or its return."""
    rtt = np.where(draw.random(hosts) < slow, 1 + draw.exponential(1.5, hosts), 0.1)
    window = 2 * COOLDOWN + BURST
    begun = draw.random((hosts, 6)) * window - BURST
    real = np.arange(6) < draw.poisson(LOST / BURST * window, hosts)[:, None]

    def lost(at: np.ndarray) -> np.ndarray:
        return (real & (begun <= at[:, None]) & (at[:, None] < begun + BURST)).any(axis=1)

    sent = (np.zeros(hosts), np.full(hosts, COOLDOWN))
    got = [~lost(at) & ~lost(at + rtt) & (at + rtt < 2 * COOLDOWN) for at in sent]
    return got[0] | got[1]


def arm(draw: np.random.Generator, shape: tuple[int, int], visited: bool, harm: float, slow: float) -> pa.Table:
    """The rows of `harm` of one arm of (sweeps, hosts); visits end this share of hosts."""
    sweeps, hosts = shape
    count = sweeps * hosts
    lives = draw.random(count) >= MORTAL
    if visited:
        lives &= draw.random(count) >= harm
    alive = pa.array(answers(draw, count, slow) & lives)
    columns = {
        "sweep": pa.array(np.repeat(np.arange(sweeps), hosts).astype(str)),
        "ip": pa.array(np.tile(np.arange(hosts), sweeps) * 2 + visited, pa.uint32()),
        "port": pa.array(np.full(count, 104), pa.uint16()),
        "arm": pa.array([str(Arm.VISITED if visited else Arm.UNVISITED)]).take(pa.array(np.zeros(count, int))),
        "attempt": pa.array(np.ones(count), pa.uint16()),
        "alive_after": alive if visited else pa.nulls(count, pa.bool_()),
        "alive_before": pa.nulls(count, pa.bool_()) if visited else alive,
    }
    fields = [field for field in schema.table("harm").arrow if field.name not in columns]
    return pa.table(columns | {field.name: pa.nulls(count, field.type) for field in fields})


def checked(harm: float, slow: float, sweeps: int, hosts: int) -> duckdb.DuckDBPyConnection:
    """A lake of independent sweeps of one world, with so many hosts in each arm."""
    draw = np.random.default_rng([20261130, round(1000 * harm), round(1000 * slow), hosts])
    con = lake.connect()
    made = pa.concat_tables([arm(draw, (sweeps, hosts), visited, harm, slow) for visited in (True, False)])
    con.register("made", made)
    con.execute("DROP VIEW raw_harm; CREATE TABLE raw_harm AS FROM made").fetchall()
    return con


def effects(con: duckdb.DuckDBPyConnection) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper end of the measured harm of each sweep."""
    sql = (
        "SELECT visited.ended, visited.alive, unvisited.ended, unvisited.alive FROM harm_arms AS visited "
        "JOIN harm_arms AS unvisited USING (sweep) WHERE visited.arm = 'visited' AND unvisited.arm = 'unvisited'"
    )
    estimate = difference(*np.array(con.execute(sql).fetchall()).T, repeated(1))
    return estimate.low, estimate.high


@pytest.mark.parametrize(("harm", "slow"), WORLDS)
def test_the_interval_covers(harm: float, slow: float) -> None:
    """With loss in bursts of 3 s and slow hosts, the interval covers the true harm in at least 95 % of 200 sweeps."""
    low, high = effects(checked(harm, slow, sweeps=200, hosts=1_000))
    truth = harm * (1 - MORTAL)
    assert len(low) == 200
    assert ((low <= truth) & (truth <= high)).mean() >= 0.95


def test_harm_of_one_percent_is_found() -> None:
    """At 100,000 hosts an arm, harm of 1 % is found in each of ten sweeps, and the sentence says so."""
    con = checked(0.01, 0.05, sweeps=10, hosts=100_000)
    low, high = effects(con)
    assert (low > 0.008).all() and (high < 0.012).all()
    assert "more of 100 hosts no longer answer this address" in sentence(con, "WHERE sweep = '0'")


def test_no_harm_is_within_the_margin() -> None:
    """Where visits do no harm, four sweeps of 100,000 hosts an arm together exclude harm above the default margin of 0.1 %."""
    con = checked(0.0, 0.05, sweeps=4, hosts=100_000)
    assert (effects(con)[0] <= 0).all()
    said = sentence(con)
    assert said.startswith("4 sweeps of this series") and said.endswith(
        "within the margin of 0.10 % that was set before the sweep."
    )


def sentence(con: duckdb.DuckDBPyConnection, where: str = "") -> str:
    """What a report says of sweep 0, with the counts of the sweeps that a condition selects."""
    names = ("sweep", "arm", "alive", "ended", "blocking")
    rows = con.execute(f"SELECT {', '.join(names)} FROM harm_arms {where}").fetchall()
    (said,) = of_arms([dict(zip(names, row, strict=True)) for row in rows], "0", HarmSection().margin)
    return said
