"""The names of one address: those that it is given (PTR), and of them those that lead back to it (A)."""

import dns.exception
import dns.rdatatype
import dns.reversename
import msgspec

from pipeline.outcome import Naming
from pipeline.reverse_dns import answer
from pipeline.reverse_dns.ask import Asker, Failed


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What reverse DNS says of an address: names that lead back to it, others, and how many records there were."""

    outcome: Naming
    names: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    pointers: int = 0


async def find(asker: Asker, address: str) -> Named:
    """Ask for the names of a dotted address, and where each leads. Raises GuardError."""
    try:
        message = await asker.ask(dns.reversename.from_address(address), dns.rdatatype.PTR)
        found = answer.pointers(message)
    except Failed as failed:
        return Named(outcome=failed.why)
    except dns.exception.DNSException:
        return Named(outcome=Naming.MALFORMED)
    if not found.names:
        return Named(outcome=Naming.MALFORMED if found.records else Naming.NO_NAME, pointers=found.records)
    told = {name: await _leads(asker, name, address) for name in found.names}
    confirmed = tuple(name for name, outcome in told.items() if outcome is Naming.CONFIRMED)
    return Named(
        outcome=_judged(list(told.values())),
        names=confirmed,
        unconfirmed=tuple(name for name in told if name not in confirmed),
        pointers=found.records,
    )


async def _leads(asker: Asker, name: str, address: str) -> Naming:
    """Whether a name leads to an address, or why that is not known."""
    try:
        found = answer.addresses(await asker.ask(f"{name}.", dns.rdatatype.A))
    except Failed as failed:
        return failed.why
    except dns.exception.DNSException:
        return Naming.UNCONFIRMED
    return Naming.CONFIRMED if address in found else Naming.UNCONFIRMED


def _judged(told: list[Naming]) -> Naming:
    """One confirmed name is enough; else what could not be learned, so that it is asked again, goes before a no."""
    for outcome in (Naming.CONFIRMED, Naming.TIMEOUT, Naming.FAILED):
        if outcome in told:
            return outcome
    return Naming.UNCONFIRMED
