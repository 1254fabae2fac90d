"""Hosts that end."""

import numpy as np

from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.connections import CONNECTION
from pipeline.testbed.internet.death import Dead
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES
from pipeline.testbed.internet.population import NOBODY, Block, Internet, Population

COUNT = 3000
ADDRESSES = np.arange(11 << 24, (11 << 24) + COUNT, dtype=np.uint32)
PORTS = np.full(COUNT, 104, dtype=np.uint16)
WORLD = Internet(seed=1, block=(Block(addresses=("11.0.0.0/16",), density=1.0, mix={"silent": 1.0}),))
POPULATION = Population(WORLD, Ranges.of(()))


def behaving(name: str) -> np.ndarray:
    return np.full(COUNT, NAMES.index(name), dtype=np.int8)


def test_mortals_end_by_themselves() -> None:
    """A third of them are gone after a third of their longest life, all after it; others live on, and nobody is not dead."""
    dead, longest = Dead(POPULATION), BEHAVIOURS["mortal"].lives
    assert not len(dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0))
    gone = dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0 + longest / 3)
    assert abs(len(gone) - COUNT / 3) < 5 * (COUNT * 2 / 9) ** 0.5
    assert len(dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0 + longest)) == COUNT
    for name in ("accepts", "fragile"):
        assert not len(dead.among(ADDRESSES, PORTS, behaving(name), 1e6))
    assert not len(dead.among(ADDRESSES, PORTS, np.full(COUNT, NOBODY, dtype=np.int8), 1e6))


def test_a_visit_ends_the_fragile() -> None:
    """A connection that is over ends its host if that is fragile, and no other."""
    dead, over = Dead(POPULATION), np.zeros(2, dtype=CONNECTION)
    over["address"], over["port"] = ADDRESSES[:2], 104
    over["behaviour"] = NAMES.index("fragile"), NAMES.index("accepts")
    dead.visited(over)
    assert dead.among(ADDRESSES, PORTS, behaving("fragile"), 0.0).tolist() == [0]


def test_a_world_falls_quiet() -> None:
    """After its time nobody answers."""
    dead = Dead(POPULATION, 5.0)
    assert not len(dead.among(ADDRESSES, PORTS, behaving("silent"), 10.0))
    assert len(dead.among(ADDRESSES, PORTS, behaving("silent"), 15.0)) == COUNT
