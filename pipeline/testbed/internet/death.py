"""Hosts that are gone for good: those that a visit ends, and those with a limited lifetime."""

import numpy as np
from numpy.typing import NDArray

from pipeline.testbed.internet.peers import BEHAVIOURS
from pipeline.testbed.internet.population import LIFETIME, NO_HOST, Population

FRAGILE = np.array([behaviour.fragile for behaviour in BEHAVIOURS.values()])
LIFETIMES = np.array([behaviour.max_lifetime for behaviour in BEHAVIOURS.values()])
MAY_DIE = FRAGILE | (LIFETIMES > 0)


class DeadHosts:
    """The dead hosts of an internet. Time begins at the first call with hosts.

    From `quiet_after` seconds, if not 0, all are dead; until `quiet_until` seconds if that is not 0, or else for good.
    """

    def __init__(self, population: Population, quiet_after: float = 0.0, quiet_until: float = 0.0) -> None:
        self._population = population
        self._quiet_after, self._quiet_until = quiet_after, quiet_until or float("inf")
        self._started_at: float | None = None
        self._killed = np.zeros(0, dtype=np.uint64)

    def among(
        self,
        addresses: NDArray[np.integer],
        ports: NDArray[np.integer],
        behaviour: NDArray[np.int8],
        now: float,
    ) -> NDArray[np.int64]:
        """The indices of dead hosts among targets; all arrays of shape (n,)."""
        if self._started_at is None and len(behaviour):
            self._started_at = now
        age = now - (now if self._started_at is None else self._started_at)
        if self._quiet_after and self._quiet_after <= age < self._quiet_until:
            return np.arange(len(behaviour))
        indices = np.flatnonzero((behaviour != NO_HOST) & MAY_DIE[behaviour])
        if not len(indices):
            return indices
        addresses, ports, lifetimes = addresses[indices], ports[indices], LIFETIMES[behaviour[indices]]
        expired = (lifetimes > 0) & (self._population.uniform(LIFETIME, addresses, ports) * lifetimes <= age)
        return np.asarray(indices[expired | np.isin(_keys(addresses, ports), self._killed)])

    def visited(self, connections: NDArray[np.void]) -> None:
        """Take connections that have ended: fragile hosts die of them."""
        fragile = connections[FRAGILE[connections["behaviour"]]]
        if len(fragile):
            self._killed = np.union1d(self._killed, _keys(fragile["address"], fragile["port"]))


def _keys(addresses: NDArray[np.integer], ports: NDArray[np.integer]) -> NDArray[np.uint64]:
    return addresses.astype(np.uint64) << np.uint64(16) | ports.astype(np.uint64)
