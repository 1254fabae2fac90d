"""What a faithful sweep of a testbed must find under the profile `echo`: one row per endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.testbed.internet.population import Population, outcomes
from pipeline.testbed.spec import Spec, addresses, placed_addresses


@dataclass(frozen=True, slots=True)
class Truth:
    """One simulated (address, port). Without an outcome it has no response; an excluded one must never be visited."""

    address: int
    port: int
    outcome: str | None
    country: str
    excluded: bool


def truth(spec: Spec, ports: tuple[int, ...] = ()) -> list[Truth]:
    """The ground truth in order of address: all servers, and the simulated hosts on these ports."""
    rows = [
        Truth(
            int(address),
            placement.port,
            placement.outcome and placement.outcome.value,
            placement.country,
            placement.excluded,
        )
        for placement in spec.placements
        for address in addresses(placement)
    ]
    return sorted([*rows, *_simulated(spec, ports)], key=lambda row: (row.address, row.port))


def _simulated(spec: Spec, ports: tuple[int, ...]) -> Iterator[Truth]:
    if spec.internet is None:
        return
    outcome = outcomes()
    for hosts in Population(spec.internet, placed_addresses(spec)).truth(ports):
        columns = (hosts.address, hosts.port, hosts.behaviour, hosts.block)
        for address, port, behaviour, block in zip(*(column.tolist() for column in columns), strict=True):
            yield Truth(address, port, outcome[behaviour], spec.internet.block[block].country, excluded=False)
