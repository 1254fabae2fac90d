"""The interval of what a vantage sees, in worlds of known truth: networks that block it, and services that it misses one by one."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from tests.analysis.lake import connect
from tests.publish.loss_worlds import replace

WORLDS, NETWORKS = 400, 150
#: Services of a network in the sample: most have one, a few have many.
SIZES = np.repeat([1, 2, 5, 20], [20, 8, 3, 1])
#: Sizes of networks, the chance of a network to block the vantage, and that of a service to be lost on the way.
KINDS = {
    "networks block": (SIZES, 0.1, 0.02),
    "many block": (SIZES, 0.3, 0.02),
    "one service each": (np.array([1]), 0.1, 0.03),
    "small networks": (np.array([1, 1, 1, 2, 3]), 0.05, 0.02),
}


def told(sizes: NDArray[np.int64], blocks: float, lost: float) -> dict[str, NDArray[np.float64]]:
    """What the mart says of vantage `two` in each world; `one` sees everything."""
    draw = np.random.default_rng(3)
    networks = draw.choice(sizes, (WORLDS, NETWORKS))
    world, network = (np.repeat(part.ravel(), networks.ravel()) for part in np.indices(networks.shape))
    missed = np.repeat(draw.random(networks.size) < blocks, networks.ravel()) | (draw.random(len(world)) < lost)
    con = connect()
    both = pa.array([["one"], ["one", "two"]])
    replace(con, "visible_services", {
        "sweep": world, "ip": np.arange(len(world)), "port": np.full(len(world), 104), "network": network,
        "country": pa.nulls(len(world), pa.string()),
        "seen_by": both.take(pa.array(np.where(missed, 0, 1))),
        "vantages_asked": both.take(pa.array(np.ones(len(world), int))),
        "vantages_named": both.take(pa.array(np.ones(len(world), int))),
    })  # fmt: skip
    found: dict[str, NDArray[np.float64]] = con.execute(
        "FROM visibility WHERE of_all AND vantage_name = 'two' ORDER BY sweep"
    ).fetchnumpy()
    assert len(found["sweep"]) == WORLDS
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_share_is_covered(kind: str) -> None:
    """The interval covers the truth in 93 to 97 % of worlds, whether whole networks block the vantage or not."""
    sizes, blocks, lost = KINDS[kind]
    found = told(sizes, blocks, lost)
    truth = (1 - blocks) * (1 - lost)
    covered = np.mean((found["visible_low"] <= truth) & (found["visible_high"] >= truth))
    print(f"{kind}: covered in {covered:.1%} of {WORLDS} worlds, design effect {found['design_effect'].mean():.1f}")
    assert 0.93 <= covered <= 0.97
    assert found["visible_share"].mean() == pytest.approx(truth, abs=0.01)


def test_nothing_missed_is_no_certainty() -> None:
    """Where a vantage misses nothing, the lower end is that of as many networks as are there, not of as many services."""
    found = told(np.array([10]), 0.0, 0.0)
    assert np.all(found["visible"] == found["seen_any"])
    assert np.allclose(found["design_effect"], 10)
    assert np.all(found["visible_low"] < 0.98) and np.all(found["visible_high"] == pytest.approx(1.0))


def test_lost_one_by_one_in_large_networks() -> None:
    """Where a vantage loses services one by one in large networks, the interval is a little too wide, never too narrow."""
    found = told(SIZES, 0.0, 0.03)
    assert np.mean((found["visible_low"] <= 0.97) & (found["visible_high"] >= 0.97)) >= 0.95
    assert found["design_effect"].mean() < 3
