"""Who stands where: a hash of seed, address and port decides whether there is a host, how it behaves and how far away it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pipeline.config import Port, Section
from pipeline.errors import InputError
from pipeline.space import address_list
from pipeline.space.ranges import U32, Ranges
from pipeline.testbed.internet.peers import BEHAVIOURS, NAMES

NOBODY = -1
PORTS = 1 << 16
#: Addresses that are looked at together when the truth is told.
CHUNK = 1 << 20
#: What a hash decides: the rest of the 64 bits is used for each in another mixing.
EXISTS, BEHAVES, DRAWS, PERSISTS, DISTANCE, LIVES = range(6)

U64 = NDArray[np.uint64]
Share = Annotated[float, Meta(ge=0, le=1)]


class Block(Section, frozen=True):
    """`[[internet.block]]`: in these ranges a share `density` of the (address, port) pairs are hosts.

    `mix` weighs their behaviours. Without `ports`, every port is served: so do prefixes that answer everything.
    """

    addresses: Annotated[tuple[str, ...], Meta(min_length=1)]
    density: Share
    mix: Annotated[dict[str, Annotated[float, Meta(gt=0)]], Meta(min_length=1)]
    ports: tuple[Port, ...] = ()
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "ZZ"


class Internet(Section, frozen=True):
    """`[internet]`: what the whole of it has in common.

    `loss` is the share of packets lost in each direction, in runs of `burst` packets on average; `delays` are round trips in
    seconds, one of which each host has; `persistent` is the share of hosts that send again what is not acknowledged;
    `forged` SYN-ACKs a second answer no probe. More than `bottleneck` packets a second do not get there; 0: any do. `quiet_after` so
    many seconds from its beginning nobody answers any more; 0: never.
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


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts that were found; shape (n,)."""

    address: U32
    port: NDArray[np.uint16]
    behaviour: NDArray[np.int8]
    """Place in `behaviour.NAMES`."""
    block: NDArray[np.int64]


class Population:
    """The hosts of an internet, but for the addresses that real servers have."""

    def __init__(self, internet: Internet, taken: Ranges) -> None:
        self._internet = internet
        ranges = [_ranges(block, number).subtract(taken) for number, block in enumerate(internet.block)]
        _refuse_overlap(ranges)
        _refuse_unknown(internet.block)
        order = sorted((first, last, number) for number, part in enumerate(ranges) for first, last in part.pairs())
        self._first, self._last, self._block = (np.array(column, dtype=np.int64) for column in zip(*order, strict=True))
        self._served = np.array([_served(block) for block in internet.block])
        self._limit = np.array([block.density for block in internet.block])
        self._mix = np.array([_cumulative(block) for block in internet.block])

    def who(
        self, addresses: NDArray[np.integer], ports: NDArray[np.integer]
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Behaviours (NOBODY where there is no host) and blocks of targets, both of shape (n,)."""
        behaviour = np.full(len(addresses), NOBODY, dtype=np.int8)
        place = np.searchsorted(self._first, addresses, side="right") - 1
        block = self._block[place]
        served = (place >= 0) & (addresses <= self._last[place]) & self._served[block, ports]
        chosen = np.flatnonzero(served)
        chosen = chosen[self.share(EXISTS, addresses[chosen], ports[chosen]) < self._limit[block[chosen]]]
        drawn = self.share(BEHAVES, addresses[chosen], ports[chosen])
        behaviour[chosen] = (drawn[:, None] >= self._mix[block[chosen]]).sum(axis=1)
        return behaviour, block

    def share(self, what: int, addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> NDArray[np.float64]:
        """For each target a number in [0, 1) that decides `what`."""
        key = addresses.astype(np.uint64) << np.uint64(16) | ports.astype(np.uint64)
        mixed = mix(key, self._internet.seed * 8 + what) >> np.uint64(11)
        return np.asarray(mixed * 2.0**-53, dtype=np.float64)

    def truth(self, ports: tuple[int, ...]) -> Iterator[Hosts]:
        """All hosts on these ports, some at a time."""
        for first, last in zip(self._first.tolist(), self._last.tolist(), strict=True):
            for begin in range(first, last + 1, CHUNK):
                addresses = np.arange(begin, min(begin + CHUNK, last + 1), dtype=np.uint32)
                for port in ports:
                    asked = np.full(len(addresses), port, dtype=np.uint16)
                    behaviour, block = self.who(addresses, asked)
                    there = behaviour != NOBODY
                    yield Hosts(addresses[there], asked[there], behaviour[there], block[there])


def mix(key: U64, salt: int) -> U64:
    """Scatter 64-bit keys: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), over keys shifted by a salt."""
    mixed = key + np.uint64(((salt + 1) * 0x9E3779B97F4A7C15) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _ranges(block: Block, number: int) -> Ranges:
    return Ranges.of(address_list.parse(text, f"key internet.block[{number}].addresses") for text in block.addresses)


def _refuse_overlap(blocks: list[Ranges]) -> None:
    if sum(block.count for block in blocks) != Ranges.union_of(blocks).count:
        raise InputError("key internet.block", "two blocks share addresses")


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
    """What a visitor of profile `echo` finds at each behaviour, in the order of NAMES; None where it finds nothing."""
    return [behaviour.outcome and str(behaviour.outcome) for behaviour in BEHAVIOURS.values()]
