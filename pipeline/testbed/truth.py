"""What a faithful sweep of a testbed finds: one row a door, judged under the profile `echo`."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.testbed.internet.population import Population, outcomes
from pipeline.testbed.spec import Spec, addresses, taken


@dataclass(frozen=True, slots=True)
class Truth:
    """One played (address, port). Without an outcome it gives no response row; an excluded one must never be visited."""

    address: int
    port: int
    outcome: str | None
    country: str
    excluded: bool


def truth(spec: Spec, ports: tuple[int, ...] = ()) -> list[Truth]:
    """Return the ground truth in the order of the addresses: all servers, and the simulated hosts on these ports."""
    rows = [
        Truth(int(address), stand.port, stand.outcome and stand.outcome.value, stand.country, stand.excluded)
        for stand in spec.stand
        for address in addresses(stand)
    ]
    return sorted([*rows, *_simulated(spec, ports)], key=lambda row: (row.address, row.port))


def _simulated(spec: Spec, ports: tuple[int, ...]) -> Iterator[Truth]:
    if spec.internet is None:
        return
    outcome = outcomes()
    for hosts in Population(spec.internet, taken(spec)).truth(ports):
        columns = (hosts.address, hosts.port, hosts.behaviour, hosts.block)
        for address, port, behaviour, block in zip(*(column.tolist() for column in columns), strict=True):
            yield Truth(address, port, outcome[behaviour], spec.internet.block[block].country, excluded=False)
