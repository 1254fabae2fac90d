"""What a faithful sweep of a testbed finds: one row a door, judged under the profile `echo`."""

from dataclasses import dataclass

from pipeline.testbed.spec import Spec, addresses


@dataclass(frozen=True, slots=True)
class Truth:
    """One played (address, port). Without an outcome it gives no response row; an excluded one must never be visited."""

    address: int
    port: int
    outcome: str | None
    country: str
    excluded: bool


def truth(spec: Spec) -> list[Truth]:
    """Return the ground truth in the order of the addresses."""
    rows = (
        Truth(int(address), stand.port, stand.outcome and stand.outcome.value, stand.country, stand.excluded)
        for stand in spec.stand
        for address in addresses(stand)
    )
    return sorted(rows, key=lambda row: (row.address, row.port))
