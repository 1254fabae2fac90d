"""Which hosts are gone for good: those that a visit ends, and those that end by themselves."""

import numpy as np
from numpy.typing import NDArray

from pipeline.testbed.internet.peers import BEHAVIOURS
from pipeline.testbed.internet.population import LIVES, NOBODY, Population

FRAGILE = np.array([each.fragile for each in BEHAVIOURS.values()])
SPANS = np.array([each.lives for each in BEHAVIOURS.values()])
MAY_DIE = FRAGILE | (SPANS > 0)


class Dead:
    """The dead of an internet, which begins when it is first asked after a host; `quiet_after` so long, all are, if not 0."""

    def __init__(self, population: Population, quiet_after: float = 0.0) -> None:
        self._population = population
        self._quiet_after = quiet_after
        self._began: float | None = None
        self._ended = np.zeros(0, dtype=np.uint64)

    def among(
        self,
        addresses: NDArray[np.integer],
        ports: NDArray[np.integer],
        behaviour: NDArray[np.int8],
        now: float,
    ) -> NDArray[np.int64]:
        """The places of the dead among targets, all arrays of shape (n,)."""
        if self._began is None and len(behaviour):
            self._began = now
        age = now - (now if self._began is None else self._began)
        if self._quiet_after and age >= self._quiet_after:
            return np.arange(len(behaviour))
        places = np.flatnonzero((behaviour != NOBODY) & MAY_DIE[behaviour])
        if not len(places):
            return places
        addresses, ports, spans = addresses[places], ports[places], SPANS[behaviour[places]]
        spent = (spans > 0) & (self._population.share(LIVES, addresses, ports) * spans <= age)
        return np.asarray(places[spent | np.isin(_keys(addresses, ports), self._ended)])

    def visited(self, connections: NDArray[np.void]) -> None:
        """These connections are over."""
        ended = connections[FRAGILE[connections["behaviour"]]]
        if len(ended):
            self._ended = np.union1d(self._ended, _keys(ended["address"], ended["port"]))


def _keys(addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> NDArray[np.uint64]:
    return addresses.astype(np.uint64) << np.uint64(16) | ports.astype(np.uint64)
