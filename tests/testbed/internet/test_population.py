"""The population of simulated hosts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.space.ranges import Ranges
from pipeline.testbed.internet.peers import NAMES
from pipeline.testbed.internet.population import NO_HOST, Block, Internet, Population, mix

HOSTS = Block(addresses=("11.0.0.0/12",), ports=(104,), density=0.05, mix={"accepts": 1, "http": 3})
EVERYTHING = Block(addresses=("12.0.0.0/24",), density=1.0, mix={"silent": 1})
FIRST = 11 << 24


def population(*blocks: Block, excluded: Ranges | None = None) -> Population:
    """The hosts of some blocks."""
    return Population(Internet(seed=5, block=blocks), excluded or Ranges.of(()))


def test_density_and_mix_are_as_specified() -> None:
    """Of 2^20 addresses 5 % are hosts, and a quarter of the hosts accept: within five standard deviations."""
    counts = Counter[str]()
    for hosts in population(HOSTS).truth((104,)):
        counts.update(NAMES[behaviour] for behaviour in hosts.behaviour.tolist())
    assert set(counts) == {"accepts", "http"}
    total = sum(counts.values())
    assert abs(total - 52429) < 5 * 223
    assert abs(counts["accepts"] - total / 4) < 5 * 100


def test_truth_is_what_is_simulated() -> None:
    """The truth lists exactly the hosts of `lookup`, with the same behaviour."""
    hosts_of = population(HOSTS, EVERYTHING)
    for hosts in hosts_of.truth((104, 9)):
        assert (hosts_of.lookup(hosts.address, hosts.port)[0] == hosts.behaviour).all()
    addresses = np.arange(FIRST, FIRST + 1000, dtype=np.uint32)
    listed = np.concatenate([hosts.address for hosts in hosts_of.truth((104,))])
    assert (np.isin(addresses, listed) == (hosts_of.lookup(addresses, np.full(1000, 104))[0] != NO_HOST)).all()


def test_a_block_without_ports_answers_everything() -> None:
    """Every address on every port is a host; outside of the blocks and ports there is no host."""
    hosts_of = population(HOSTS, EVERYTHING)
    ports = np.array([1, 104, 65535])
    assert (hosts_of.lookup(np.full(3, (12 << 24) + 9), ports)[0] == NAMES.index("silent")).all()
    assert (hosts_of.lookup(np.full(3, 13 << 24), ports)[0] == NO_HOST).all()
    assert (hosts_of.lookup(np.array([0, 2**32 - 1]), np.array([104, 104]))[0] == NO_HOST).all()


def test_real_servers_have_their_addresses() -> None:
    """There is no simulated host on a server's address."""
    hosts_of = population(EVERYTHING, excluded=Ranges.of([((12 << 24) + 3, (12 << 24) + 4)]))
    simulated = np.concatenate([hosts.address for hosts in hosts_of.truth((104,))]) - (12 << 24)
    assert set(range(256)) - set(simulated.tolist()) == {3, 4}


def test_blocks_that_overlap_are_refused() -> None:
    """Blocks that share addresses are refused."""
    with pytest.raises(InputError, match="share addresses"):
        population(HOSTS, HOSTS)


def test_an_unknown_behaviour_is_refused() -> None:
    """A mix with an unknown behaviour is refused, and the message lists the known behaviours."""
    block = Block(addresses=("12.0.0.0/24",), density=1.0, mix={"silent": 1, "accept": 1})
    with pytest.raises(InputError, match=r"block\[0\]\.mix: 'accept' is not a behaviour; use one of accepts, "):
        Population(Internet(seed=1, block=(block,)), Ranges.of(()))


@given(st.lists(st.integers(0, 2**48 - 1), unique=True), st.integers(0, 2**63))
def test_mixing_loses_nothing(keys: list[int], salt: int) -> None:
    """The mixing is one-to-one."""
    assert len(set(mix(np.array(keys, dtype=np.uint64), salt).tolist())) == len(keys)
