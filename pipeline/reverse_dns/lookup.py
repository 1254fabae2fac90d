"""The host names of one address: its PTR records, and which of them resolve back to it (A records)."""

import dns.exception
import dns.rdatatype
import dns.reversename
import msgspec

from pipeline.outcome import Naming
from pipeline.reverse_dns import answer
from pipeline.reverse_dns.stub_resolver import QueryError, StubResolver


class HostNames(msgspec.Struct, frozen=True, kw_only=True):
    """An address's names by reverse DNS: confirmed ones, unconfirmed ones, and the number of PTR records."""

    outcome: Naming
    names: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    pointers: int = 0


async def look_up(resolver: StubResolver, address: str) -> HostNames:
    """Look up the names of a dotted address, and confirm each. Raises GuardError."""
    try:
        message = await resolver.query(dns.reversename.from_address(address), dns.rdatatype.PTR)
        pointers = answer.pointers(message)
    except QueryError as failed:
        return HostNames(outcome=failed.outcome)
    except dns.exception.DNSException:
        return HostNames(outcome=Naming.MALFORMED)
    if not pointers.names:
        return HostNames(outcome=Naming.MALFORMED if pointers.records else Naming.NO_NAME, pointers=pointers.records)
    outcomes = {name: await _confirm(resolver, name, address) for name in pointers.names}
    confirmed = tuple(name for name, outcome in outcomes.items() if outcome is Naming.CONFIRMED)
    return HostNames(
        outcome=_combined(list(outcomes.values())),
        names=confirmed,
        unconfirmed=tuple(name for name in outcomes if name not in confirmed),
        pointers=pointers.records,
    )


async def _confirm(resolver: StubResolver, name: str, address: str) -> Naming:
    """Whether a name resolves to an address, or why that is unknown."""
    try:
        addresses = answer.addresses(await resolver.query(f"{name}.", dns.rdatatype.A))
    except QueryError as failed:
        return failed.outcome
    except dns.exception.DNSException:
        return Naming.UNCONFIRMED
    return Naming.CONFIRMED if address in addresses else Naming.UNCONFIRMED


def _combined(outcomes: list[Naming]) -> Naming:
    """The outcome of all names: confirmed if one is; else a failed lookup, which can be retried, before unconfirmed."""
    for outcome in (Naming.CONFIRMED, Naming.TIMEOUT, Naming.FAILED):
        if outcome in outcomes:
            return outcome
    return Naming.UNCONFIRMED
