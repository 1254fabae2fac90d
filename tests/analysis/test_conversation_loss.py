"""Conversations that are lost after the SYN-ACK: the share of services, and how many there are with them, in worlds of known truth."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from pipeline.statistics.abundance import abundance
from tests.analysis.lake import connect
from tests.publish.loss_worlds import replace

WORLDS, SERVICES, NETWORKS, LOST = 400, 600, 60, 0.03
#: The ids of the three sweeps of each world.
SWEEPS = np.array([[f"{world}-{place}" for place in (1, 2, 3)] for world in range(WORLDS)])
#: Services of some worlds: number of the world, and of the service.
Which = tuple[NDArray[np.intp], ...]
Told = dict[str, NDArray[np.float64]]


def told(stalls: NDArray[np.float64], draw: np.random.Generator) -> Told:
    """What the mart says of worlds of three sweeps, whose services answer a SYN in 97 % and then stall with these chances."""
    shape = (len(stalls), 3, SERVICES)
    syn = draw.random(shape) >= LOST
    seen = syn & (draw.random(shape) >= stalls)
    before, now, after = seen[:, 0], seen[:, 1], seen[:, 2]
    skipped = before & ~now & after
    parts = _sightings(np.nonzero(now), 2, before, after), _sightings(np.nonzero(skipped), 1, 0 * skipped, 3 * skipped)
    con = connect()
    replace(con, "sightings", {name: pa.concat_arrays([pa.array(part[name]) for part in parts]) for name in parts[0]})
    worlds, places = np.divmod(np.arange(3 * len(stalls)), 3)
    replace(con, "series", {"sweep": SWEEPS[worlds, places], "series": worlds, "position": places + 1})
    stalled, ips = np.nonzero(skipped & syn[:, 1])
    replace(con, "responses", {
        "sweep": SWEEPS[stalled, 1], "ip": ips, "port": np.full(ips.size, 104),
        "outcome": np.full(ips.size, "unacknowledged"),
    })  # fmt: skip
    counts = now.sum(axis=1)
    there = abundance(counts, 1 - LOST)
    replace(con, "reachable", {
        "sweep": SWEEPS[: len(stalls), 1], "of_all": np.ones(len(stalls), np.bool_), "services": counts,
        "there": there.value, "there_low": there.low, "there_high": there.high,
    })  # fmt: skip
    found: Told = con.execute("FROM conversation_loss").fetchnumpy()
    assert len(found["sweep"]) == len(stalls)
    return found


def _sightings(which: Which, place: int, before: NDArray[np.generic], after: NDArray[np.generic]) -> dict[str, Any]:
    """The rows of services seen at a place of their series, and whether they were at the one before, and at the last."""
    worlds, ips = which
    first, last = (np.asarray(flags[which], bool) for flags in (before, after))
    return {
        "series": worlds, "position": np.full(ips.size, place), "sweep": SWEEPS[worlds, place - 1], "ip": ips,
        "port": np.full(ips.size, 104), "network": ips % NETWORKS,
        "before": pa.array(np.ones(ips.size, int), mask=~first), "after": pa.array(np.full(ips.size, 3), mask=~last),
    }  # fmt: skip


def test_the_share_and_the_total_are_known() -> None:
    """Where conversations are lost each on its own, both intervals cover the truth in 93 to 97 % of worlds."""
    found = told(np.full((WORLDS, 1, 1), 0.05), np.random.default_rng(1))
    share = np.mean((found["stalled_low"] <= 0.05) & (found["stalled_high"] >= 0.05))
    total = np.mean((found["with_stalled_low"] <= SERVICES) & (found["with_stalled_high"] >= SERVICES))
    print(f"share covered in {share:.1%}, total in {total:.1%} of {WORLDS} worlds")
    assert 0.93 <= share <= 0.97 and 0.93 <= total <= 0.97
    assert found["with_stalled"].mean() == pytest.approx(SERVICES, rel=0.005)


def test_networks_stall_together() -> None:
    """Where all conversations of a network are lost together, the design effect is near their number, and the share is covered."""
    draw = np.random.default_rng(2)
    down = draw.random((WORLDS // 2, 3, NETWORKS)) < 0.05
    found = told(down[..., np.arange(SERVICES) % NETWORKS].astype(float), draw)
    share = np.mean((found["stalled_low"] <= 0.05) & (found["stalled_high"] >= 0.05))
    print(f"share covered in {share:.1%} of worlds, design effect {found['design_effect'].mean():.1f}")
    assert share >= 0.93 and found["design_effect"].mean() == pytest.approx(SERVICES / NETWORKS, rel=0.15)


def test_services_that_stall_often_make_it_a_bound() -> None:
    """Where a fifth of the services stalls in four of ten visits, the number is too small, and its lower end holds."""
    often = np.where(np.arange(SERVICES) % 5 == 0, 0.4, 0.02) * np.ones((WORLDS // 4, 1, 1))
    found = told(often, np.random.default_rng(3))
    low = np.mean(found["with_stalled_low"] <= SERVICES)
    share = found["stalled_share"].mean()
    print(f"told {share:.3f} of {often.mean():.3f}; at least holds in {low:.1%} of worlds")
    assert share < often.mean() and found["with_stalled"].mean() < SERVICES and low >= 0.97
