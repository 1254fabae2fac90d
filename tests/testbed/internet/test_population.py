"""Who stands where."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.peers import NAMES
from pipeline.testbed.internet.population import NOBODY, Block, Internet, Population, mix

HOSTS = Block(addresses=("11.0.0.0/12",), ports=(104,), density=0.05, mix={"accepts": 1, "http": 3})
EVERYTHING = Block(addresses=("12.0.0.0/24",), density=1.0, mix={"silent": 1})
FIRST = 11 << 24


def population(*blocks: Block, taken: Ranges | None = None) -> Population:
    """The hosts of some blocks."""
    return Population(Internet(seed=5, block=blocks), taken or Ranges.of(()))


def test_density_and_mix_are_as_specified() -> None:
    """Of 2^20 addresses 5 % are hosts, a quarter of them accept: within five standard deviations."""
    found = Counter[str]()
    for hosts in population(HOSTS).truth((104,)):
        found.update(NAMES[behaviour] for behaviour in hosts.behaviour.tolist())
    assert set(found) == {"accepts", "http"}
    total = sum(found.values())
    assert abs(total - 52429) < 5 * 223
    assert abs(found["accepts"] - total / 4) < 5 * 100


def test_truth_is_what_is_played() -> None:
    """The truth lists just those for whom `who` finds a behaviour, and the same one."""
    of = population(HOSTS, EVERYTHING)
    for hosts in of.truth((104, 9)):
        assert (of.who(hosts.address, hosts.port)[0] == hosts.behaviour).all()
    asked = np.arange(FIRST, FIRST + 1000, dtype=np.uint32)
    listed = np.concatenate([hosts.address for hosts in of.truth((104,))])
    assert (np.isin(asked, listed) == (of.who(asked, np.full(1000, 104))[0] != NOBODY)).all()


def test_a_block_without_ports_answers_everything() -> None:
    """Every address at every port is a host; outside of blocks and ports nobody is."""
    of = population(HOSTS, EVERYTHING)
    ports = np.array([1, 104, 65535])
    assert (of.who(np.full(3, (12 << 24) + 9), ports)[0] == NAMES.index("silent")).all()
    assert (of.who(np.full(3, 13 << 24), ports)[0] == NOBODY).all()
    assert (of.who(np.array([0, 2**32 - 1]), np.array([104, 104]))[0] == NOBODY).all()


def test_real_servers_stand_alone() -> None:
    """Addresses that a server has are no simulated host's."""
    of = population(EVERYTHING, taken=Ranges.of([((12 << 24) + 3, (12 << 24) + 4)]))
    found = np.concatenate([hosts.address for hosts in of.truth((104,))]) - (12 << 24)
    assert set(range(256)) - set(found.tolist()) == {3, 4}


def test_blocks_that_overlap_are_refused() -> None:
    """An address of two blocks has no truth."""
    with pytest.raises(InputError, match="share addresses"):
        population(HOSTS, HOSTS)


def test_an_unknown_behaviour_is_refused() -> None:
    """A mix that names a behaviour that there is not is refused, with those that there are."""
    block = Block(addresses=("12.0.0.0/24",), density=1.0, mix={"silent": 1, "accept": 1})
    with pytest.raises(InputError, match=r"block\[0\]\.mix: 'accept' is not a behaviour; use one of accepts, "):
        Population(Internet(seed=1, block=(block,)), Ranges.of(()))


@given(st.lists(st.integers(0, 2**48 - 1), unique=True), st.integers(0, 2**63))
def test_mixing_loses_nothing(keys: list[int], salt: int) -> None:
    """The mixing is one-to-one."""
    assert len(set(mix(np.array(keys, dtype=np.uint64), salt).tolist())) == len(keys)
