"""What people should know of a vantage before a sweep: what scanned networks see of it, and which tables on the way may fill."""

from collections.abc import Iterator

from pipeline.config import local
from pipeline.config.sections import ProbeSection
from pipeline.errors import InputError
from pipeline.guard import nat, sockets
from pipeline.plan.plan import Plan
from pipeline.space.ranges import Ranges
from pipeline.worker import egress

#: Addresses between which and this machine there is no NAT.
PRIVATE = Ranges.of((int(network[0]), int(network[-1])) for network in nat.PRIVATE)


def unnamed(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each source of which nobody knows what scanned networks see. Raises InputError as `probe_source` does."""
    for source in egress.sources(plan) if _goes_out(plan) else ():
        if nat.is_private(source.public):
            yield (
                f"{source.public} is a private address, and scanned networks see that of a NAT: export {local.PUBLIC_ADDRESS}=… "
                f"with that address. Until then "
                f"receipts and reports name {source.public}, which other machines have too, and its reverse DNS cannot be checked"
            )


def published(plan: Plan) -> list[str]:
    """Return the addresses that scanned networks see and can look up, each once. Raises InputError as `probe_source` does."""
    return sorted({source.public for source in egress.sources(plan) if not nat.is_private(source.public)})


def crowded(plan: Plan) -> Iterator[str]:
    """Yield a sentence if a table of connections on the way may become full. Raises InputError as `probe_source` does."""
    behind_nat = _goes_out(plan) and any(nat.is_private(source.source) for source in egress.sources(plan))
    most, capacity = connections(plan), sockets.at_vantage(nat.capacity)
    if behind_nat:
        yield (
            f"behind a NAT: its table needs {most:,} entries at {plan.settings.rate:,} probes/s, if it keeps each SYN for "
            f"{nat.ENTRY_SECONDS} s as Linux does; a full table drops SYNs, and hosts look absent. Compare nf_conntrack_max there"
        )
    if capacity and most > capacity and (behind_nat or not plan.probe.engine.raw):
        yield (
            f"nf_conntrack_max is {capacity:,} on this machine, less than the {most:,} entries that the sweep needs if this machine "
            f"tracks its connections; raise it, or set [sweep] rate = {nat.highest_rate(capacity) * _syns(plan)}"
        )


def remarks(plan: Plan) -> Iterator[str]:
    """Yield what people should know of this vantage before a sweep. Raises InputError if it cannot send the plan."""
    yield from unnamed(plan)
    yield from crowded(plan)


def preview(plan: Plan) -> Iterator[str]:
    """Yield the remarks on this machine as a vantage of the plan, or why it could be none: another machine may send it."""
    try:
        yield from [*remarks(plan)]
    except InputError as error:
        yield f"this machine cannot send the plan: {error}"


def public_sources(probe: ProbeSection) -> tuple[str, ...]:
    """Return the addresses that scanned networks see of this vantage. Raises InputError if nobody knows."""
    facts = local.facts(probe)
    if facts.seen:
        return facts.seen
    source = egress.default_source(facts.probe.interface)
    if nat.is_private(source):
        raise InputError(
            "--source", f"{source} is a private address; give that of the NAT, or export {local.PUBLIC_ADDRESS}=…"
        )
    return (source,)


def connections(plan: Plan) -> int:
    """Return how many entries a sweep needs at once in the table of a NAT or a stateful firewall on the way."""
    return nat.entries(plan.settings.rate / _syns(plan), plan.probes // _syns(plan))


def _syns(plan: Plan) -> int:
    """SYNs of one connection, the kernel's repetition included."""
    return 1 + plan.probe.engine.retransmits


def _goes_out(plan: Plan) -> bool:
    """Whether the plan has targets that are not private themselves."""
    return bool(Ranges.of(plan.ranges).subtract(PRIVATE).count)
