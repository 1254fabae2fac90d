"""The quarantine: hosts that fell silent after a visit are left alone for a year.

It is kept in the register, so every sweep that obeys the register obeys it too, even in the middle.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pipeline.optout.edit import Evidence, end, now
from pipeline.optout.events import AnyEvent, Quarantine, RegisterState, Release
from pipeline.optout.register import Register, record, today

DAYS = 365


def add(register: Register, addresses: Iterable[int], sweep: str) -> list[str]:
    """Quarantine the hosts that fell silent after a sweep's visit; return the names of those that were not yet quarantined.

    Raises InputError.
    """
    blocks = sorted({f"{ipaddress.IPv4Address(address)}/32" for address in addresses})
    until, note = today() + timedelta(days=DAYS), f"silent after a visit of {sweep}"

    def make(state: RegisterState) -> list[AnyEvent]:
        fresh = [block for block in blocks if block not in state.quarantines]
        return [Quarantine(at=now(), who="census", block=block, until=until, note=note) for block in fresh]

    if not blocks:
        return []
    return [event.block for event in record(register, make) if isinstance(event, Quarantine)]


def expire(register: Register, blocks: Sequence[str], evidence: Evidence) -> list[str]:
    """End quarantines; return their blocks' names. Raises InputError naming the blocks that are not quarantined."""
    return end(register, blocks, evidence, Release, lambda state: state.quarantines, "has no quarantine of")
