"""Which hosts there are: a hash of seed, address and port decides whether there is a host, its behaviour and its delay."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pipeline.config.values import Port, Section
from pipeline.errors import InputError
from pipeline.space import address_list
from pipeline.space.ranges import U32, Ranges
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES

NO_HOST = -1
PORTS = 1 << 16
#: Addresses handled at a time when the truth is listed.
CHUNK = 1 << 20
#: The purposes of hashes: each gets its own, independent hash of a target.
EXISTS, BEHAVIOUR, VARIANT, PERSISTS, DISTANCE, LIFETIME = range(6)

U64 = NDArray[np.uint64]
Share = Annotated[float, Meta(ge=0, le=1)]


class Block(Section, frozen=True):
    """`[[internet.block]]`: in these ranges, the share `density` of the (address, port) pairs are hosts.

    `mix` gives the weights of their behaviours. Without `ports`, every port is served, as by prefixes that answer everything. The
    share `unheard` of their SYN-ACKs is lost, each on its own. Of the share `stalled` of their connections nothing else arrives.
    """

    addresses: Annotated[tuple[str, ...], Meta(min_length=1)]
    density: Share
    mix: Annotated[dict[str, Annotated[float, Meta(gt=0)]], Meta(min_length=1)]
    ports: tuple[Port, ...] = ()
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "ZZ"
    unheard: Share = 0.0
    stalled: Share = 0.0


class Internet(Section, frozen=True):
    """`[internet]`: properties of the whole internet.

    `loss` is the share of packets lost in each direction, in bursts of mean length `burst`. `delays` are round-trip times in
    seconds; each host has one of them. `persistent` is the share of hosts that retransmit. `forged` is the number of SYN-ACKs
    per second that answer no probe. More than `bottleneck` packets per second are dropped; 0: none. From `quiet_after`
    seconds on (0: never) no host answers, until `quiet_until` seconds (0: for good).
    """

    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    block: Annotated[tuple[Block, ...], Meta(min_length=1)]
    loss: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    burst: Annotated[float, Meta(ge=1)] = 1.0
    delays: Annotated[tuple[Annotated[float, Meta(ge=0, le=10)], ...], Meta(min_length=1)] = (0.0,)
    persistent: Share = 1.0
    forged: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    bottleneck: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    quiet_after: Annotated[float, Meta(ge=0)] = 0.0
    quiet_until: Annotated[float, Meta(ge=0)] = 0.0


@dataclass(frozen=True, slots=True)
class SimulatedHosts:
    """Hosts; arrays of shape (n,)."""

    address: U32
    port: NDArray[np.uint16]
    behaviour: NDArray[np.int8]
    """Index in `peers.NAMES`."""
    block: NDArray[np.int64]


class Population:
    """The hosts of an internet, except on addresses of real servers."""

    def __init__(self, internet: Internet, excluded: Ranges) -> None:
        self._internet = internet
        ranges = [block_ranges(block, number).subtract(excluded) for number, block in enumerate(internet.block)]
        _refuse_overlap(ranges)
        _refuse_unknown(internet.block)
        order = sorted((first, last, number) for number, part in enumerate(ranges) for first, last in part.pairs())
        self._first, self._last, self._block = (np.array(column, dtype=np.int64) for column in zip(*order, strict=True))
        self._served = np.array([_served(block) for block in internet.block])
        self._limit = np.array([block.density for block in internet.block])
        self._mix = np.array([_cumulative(block) for block in internet.block])

    def lookup(
        self, addresses: NDArray[np.integer], ports: NDArray[np.integer]
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """The behaviours (NO_HOST where there is none) and blocks of targets, both of shape (n,)."""
        behaviour = np.full(len(addresses), NO_HOST, dtype=np.int8)
        index = np.searchsorted(self._first, addresses, side="right") - 1
        block = self._block[index]
        served = (index >= 0) & (addresses <= self._last[index]) & self._served[block, ports]
        selected = np.flatnonzero(served)
        selected = selected[self.uniform(EXISTS, addresses[selected], ports[selected]) < self._limit[block[selected]]]
        uniform_behaviour = self.uniform(BEHAVIOUR, addresses[selected], ports[selected])
        behaviour[selected] = (uniform_behaviour[:, None] >= self._mix[block[selected]]).sum(axis=1)
        return behaviour, block

    def uniform(self, purpose: int, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> NDArray[np.float64]:
        """For each target a number in [0, 1), hashed for a purpose."""
        key = addresses.astype(np.uint64) << np.uint64(16) | ports.astype(np.uint64)
        mixed = mix(key, self._internet.seed * 8 + purpose) >> np.uint64(11)
        return np.asarray(mixed * 2.0**-53, dtype=np.float64)

    def truth(self, ports: tuple[int, ...]) -> Iterator[SimulatedHosts]:
        """All hosts on these ports, in chunks."""
        for first, last in zip(self._first.tolist(), self._last.tolist(), strict=True):
            for begin in range(first, last + 1, CHUNK):
                addresses = np.arange(begin, min(begin + CHUNK, last + 1), dtype=np.uint32)
                for port in ports:
                    repeated_port = np.full(len(addresses), port, dtype=np.uint16)
                    behaviour, block = self.lookup(addresses, repeated_port)
                    is_host = behaviour != NO_HOST
                    yield SimulatedHosts(addresses[is_host], repeated_port[is_host], behaviour[is_host], block[is_host])


def mix(key: U64, salt: int) -> U64:
    """Hash 64-bit keys: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of keys shifted by a salt."""
    mixed = key + np.uint64(((salt + 1) * 0x9E3779B97F4A7C15) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def block_ranges(block: Block, number: int) -> Ranges:
    """The addresses of a block, which has this number."""
    return Ranges.of(address_list.parse(text, f"key internet.block[{number}].addresses") for text in block.addresses)


def _refuse_overlap(blocks: list[Ranges]) -> None:
    if sum(block.count for block in blocks) != Ranges.union_of(blocks).count:
        raise InputError("key internet.block", "has two blocks that share addresses")


def _refuse_unknown(blocks: tuple[Block, ...]) -> None:
    for number, block in enumerate(blocks):
        if unknown := sorted(block.mix.keys() - set(NAMES)):
            raise InputError(
                f"key internet.block[{number}].mix", f"{unknown[0]!r} is not a behaviour; use one of {', '.join(NAMES)}"
            )


def _served(block: Block) -> NDArray[np.bool_]:
    served = np.full(PORTS, not block.ports)
    served[list(block.ports)] = True
    return served


def _cumulative(block: Block) -> NDArray[np.float64]:
    """The upper bounds of the behaviours' shares, in the order of NAMES; the last one is 1."""
    weights = np.array([block.mix.get(name, 0.0) for name in NAMES])
    bounds: NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    bounds[np.flatnonzero(weights)[-1] :] = 1.0
    return bounds


def outcomes() -> list[str | None]:
    """The outcome of each behaviour under the profile `echo`, in the order of NAMES; None where there is no outcome."""
    return [behaviour.outcome and str(behaviour.outcome) for behaviour in BEHAVIOURS.values()]
