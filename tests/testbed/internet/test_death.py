"""Hosts that die."""

import numpy as np

from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.connections import CONNECTION
from pipeline.testbed.internet.death import DeadHosts
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES
from pipeline.testbed.internet.population import NO_HOST, Block, Internet, Population

COUNT = 3000
ADDRESSES = np.arange(11 << 24, (11 << 24) + COUNT, dtype=np.uint32)
PORTS = np.full(COUNT, 104, dtype=np.uint16)
WORLD = Internet(seed=1, block=(Block(addresses=("11.0.0.0/16",), density=1.0, mix={"silent": 1.0}),))
POPULATION = Population(WORLD, Ranges.of(()))


def behaving(name: str) -> np.ndarray:
    return np.full(COUNT, NAMES.index(name), dtype=np.int8)


def test_mortal_hosts_die() -> None:
    """A third of mortal hosts are dead after a third of the longest lifetime, and all at its end; no other host dies."""
    dead, longest = DeadHosts(POPULATION), BEHAVIOURS["mortal"].max_lifetime
    assert not len(dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0))
    died = dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0 + longest / 3)
    assert abs(len(died) - COUNT / 3) < 5 * (COUNT * 2 / 9) ** 0.5
    assert len(dead.among(ADDRESSES, PORTS, behaving("mortal"), 100.0 + longest)) == COUNT
    for name in ("accepts", "fragile"):
        assert not len(dead.among(ADDRESSES, PORTS, behaving(name), 1e6))
    assert not len(dead.among(ADDRESSES, PORTS, np.full(COUNT, NO_HOST, dtype=np.int8), 1e6))


def test_a_visit_kills_the_fragile() -> None:
    """The end of a connection kills a fragile host, and no other host."""
    dead, over = DeadHosts(POPULATION), np.zeros(2, dtype=CONNECTION)
    over["address"], over["port"] = ADDRESSES[:2], 104
    over["behaviour"] = NAMES.index("fragile"), NAMES.index("accepts")
    dead.visited(over)
    assert dead.among(ADDRESSES, PORTS, behaving("fragile"), 0.0).tolist() == [0]


def test_an_internet_falls_quiet() -> None:
    """After `quiet_after` seconds no host answers."""
    dead = DeadHosts(POPULATION, 5.0)
    assert not len(dead.among(ADDRESSES, PORTS, behaving("silent"), 10.0))
    assert len(dead.among(ADDRESSES, PORTS, behaving("silent"), 15.0)) == COUNT


def test_an_internet_comes_back() -> None:
    """From `quiet_until` seconds hosts answer again."""
    dead = DeadHosts(POPULATION, 5.0, 8.0)
    assert not len(dead.among(ADDRESSES, PORTS, behaving("silent"), 10.0))
    assert len(dead.among(ADDRESSES, PORTS, behaving("silent"), 17.9)) == COUNT
    assert not len(dead.among(ADDRESSES, PORTS, behaving("silent"), 18.0))
