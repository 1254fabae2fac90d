"""What a careful person reads before the first packet: a plan in words and numbers, for a terminal and for programs."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.console import plan_warnings
from pipeline.guard import nat
from pipeline.optout.register import DEFAULT_NAME
from pipeline.plan import timing
from pipeline.plan.focus import Focus
from pipeline.plan.plan import Plan, RangeList
from pipeline.plan.visibility import Visibility
from pipeline.space import caps
from pipeline.space.caps import RISK
from pipeline.space.ranges import Ranges
from pipeline.words.plural import plural
from pipeline.worker import engine_choice, remarks

#: Bytes of a probe's frame: Ethernet 14, IPv4 20, TCP 20 and its options 12; without what the line adds around a frame.
PROBE_BYTES = 66
#: Countries that a plan lists by name.
COUNTRIES_SHOWN = 20

Rows = Iterator[tuple[str, str]]


def facts(plan: Plan) -> dict[str, Any]:
    """A plan without its range tables, and what follows from it: durations in s, rates per s, sizes in bytes."""
    members: dict[str, Any] = msgspec.to_builtins(plan)
    for name in ("ranges", "forbidden", "requests"):
        del members[name]
    if plan.focus:
        del members["focus"]["space"], members["focus"]["known"]
    plan, engine_here = engine_choice.preview(plan)
    return members | {
        "engine_here": engine_here or str(plan.probe.engine),
        "warnings": list(plan_warnings.warnings(plan)),
        "refused_outside_testbed": plan_warnings.refusal(plan),
        "excluded_more_than_once": excluded_more_than_once(plan),
        "targets": plan.targets,
        "targets_per_port": plan.sampled_addresses,
        "seconds": plan.probes / engine_choice.rate(plan),
        "seconds_with_cooldowns": timing.left(plan, plan.targets, engine_choice.rate(plan)),
        "harm_check_seconds": timing.harm(plan),
        "companion_seconds": timing.companions(plan),
        "bits_per_second": plan.settings.rate * PROBE_BYTES * 8,
        "most_per_slash24_hour": most_per_slash24_hour(plan),
        "most_connections": remarks.connections(plan),
    }


def rows(plan: Plan) -> Rows:
    """What and its value, in the order a reader needs them: space, pace, identity, sources; the pace is that of this vantage."""
    here, engine = engine_choice.preview(plan)
    yield from _space(here)
    yield "engine", engine or f"{here.probe.engine}: {here.probe.engine.explanation}"
    yield from _pace(here)
    yield from _answerable(plan)
    yield from _made_of(plan)


def countries(plan: Plan) -> Iterator[tuple[str, int, float]]:
    """Country, its addresses in the target space, and the targets expected there; the smaller countries as one row."""
    share = len(plan.settings.ports) * plan.sampled_addresses / plan.addresses
    shown, others = plan.countries[:COUNTRIES_SHOWN], plan.countries[COUNTRIES_SHOWN:]
    yield from ((country or "not placed", addresses, addresses * share) for country, addresses in shown)
    if others:
        rest = sum(addresses for _, addresses in others)
        yield f"{len(others)} more", rest, rest * share


def excluded_more_than_once(plan: Plan) -> int:
    """How often an address of the included lists is excluded beyond the first time, over all lists."""
    excluded = sum(part.addresses for part in plan.excluded)
    return excluded - (included(plan) - plan.space_addresses)


def included(plan: Plan) -> int:
    """The addresses of the included lists, each once, before exclusions."""
    return sum(part.addresses for part in plan.included) - plan.included_again


def most_per_slash24_hour(plan: Plan) -> int:
    """Probes that no /24 gets more of in any hour of the sweep, up to `caps.RISK`."""
    return caps.smallest_cap(caps.slash24(Ranges.of(plan.ranges)), plan.load)


def _space(plan: Plan) -> Rows:
    yield from ((f"in: {part.name}", _of_list(part)) for part in plan.included)
    if plan.included_again:
        yield "of these, included more than once", address_count(plan.included_again)
    yield from ((f"out: {part.name}", _of_list(part)) for part in plan.excluded)
    if twice := excluded_more_than_once(plan):
        yield "of these, excluded more than once", address_count(twice)
    yield from _focus(plan, plan.focus) if plan.focus else _visited(plan)
    if plan.visibility:
        yield "visibility", _visibility(plan, plan.visibility)
    yield from ((f"port {port}", plural(plan.sampled_addresses, "target")) for port in plan.settings.ports)
    yield "targets", f"{plan.targets:,}"
    if not plan.probe.engine.extra_probes:
        yield "extra probes", "none: the kernel would open a connection; it retransmits unanswered SYNs once"
        return
    yield "second SYNs", f"to {plan.loss.sample:.2%} of the targets, {plan.loss.delay:g} s after the first"
    yield "control SYNs", f"to port {plan.control.port} of {plan.control.sample:.2%} of the addresses"
    if plan.companions.ports:
        yield "companion SYNs", _companions(plan)


def _visited(plan: Plan) -> Rows:
    yield "target space", f"{address_count(plan.addresses)} in {plural(len(plan.ranges), 'range')}"
    share = plan.sampled_addresses / plan.addresses
    yield "visited", address_count(plan.sampled_addresses) + (f", a random {share:.3%}" if share < 1 else ", all")


def _focus(plan: Plan, focus: Focus) -> Rows:
    """The strata of a focus, and its part of what a sweep of the whole space sends."""
    yield "target space", f"{address_count(focus.addresses)} in {plural(len(focus.space), 'range')}"
    yield "focus", f"begins with the services of {', '.join(focus.sweeps)}"
    yield (
        "where services were",
        f"{plural(focus.known_slash24s, '/24')}, {address_count(Ranges.of(focus.known).count)}, all",
    )
    sampled = plural(focus.sampled_slash24s, "/24")
    yield "elsewhere", f"{sampled} of {focus.other_slash24s:,}, a random {focus.inclusion:.3%}"
    share = plan.addresses / focus.addresses
    yield "visited", f"{address_count(plan.addresses)}, {share:.2%} of the target space"


def _visibility(plan: Plan, sample: Visibility) -> str:
    """Which sample of the addresses each vantage probes; of a vantage's own plan, whose it is."""
    if plan.vantage:
        return f"this is the sample of {plan.whole}, from vantage {plan.vantage}"
    share = sample.addresses / plan.addresses
    return f"{address_count(sample.addresses)}, a random {share:.3%}, from each of {', '.join(sample.vantages)} too"


def _companions(plan: Plan) -> str:
    """Which further ports addresses that speak DICOM get a SYN on, and how many SYNs that can be."""
    ports, delay = plan.companions.ports, plan.companions.delay
    most = f"{len(ports)} for each such address, {len(ports) * plan.sampled_addresses:,} if all do"
    listed = ", ".join(map(str, ports))
    return f"to ports {listed} of addresses that speak DICOM, {delay:g} to {2 * delay:g} s after the visit ({most})"


def _pace(plan: Plan) -> Rows:
    rate, pace = plan.settings.rate, plan.pace
    lowered = f", lowered from {pace.requested:,} by {pace.lowered_by}" if pace.lowered_by else ""
    yield "rate", f"{rate:,} probes/s, {rate * PROBE_BYTES * 8 / 1e6:,.2f} Mbit/s{lowered}"
    yield (
        "sending takes",
        f"{timing.spoken(timing.left(plan, plan.targets, engine_choice.rate(plan)))}, cool-downs included",
    )
    if plan.harm:
        yield "harm checks take", f"up to {timing.spoken(timing.harm(plan))} more"
    if plan.companions.ports:
        yield "companion SYNs take", f"about {timing.spoken(timing.companions(plan))} more"
    yield (
        "a NAT or firewall keeps",
        f"up to {remarks.connections(plan):,} entries at once, if each SYN stays for {nat.ENTRY_SECONDS} s",
    )
    sure = f"at most {most_per_slash24_hour(plan):,} anywhere (risk {RISK:.1%})"
    yield "busiest /24 gets", f"{pace.per_slash24_hour:,.1f} probes/hour on average, {sure}"
    if pace.per_network_hour is not None:
        yield "busiest network gets", f"{pace.per_network_hour:,.0f} probes/hour on average"


def _answerable(plan: Plan) -> Rows:
    identity = plan.identity
    yield "profile", plan.settings.profile
    yield "calling AE title", identity.ae_title
    yield "contact", " ".join(filter(None, (identity.contact, identity.url))) or "nobody"
    yield "authorised by", identity.authorised_by or "nobody"
    if reason := plan_warnings.refusal(plan):
        yield "outside of a testbed", f"refused: {reason}"
    yield "opt-out register", plan.register or f"{DEFAULT_NAME} in the lake"


def _made_of(plan: Plan) -> Rows:
    reference = plan.reference
    yield "order", f"seed {plan.settings.seed}, {plural(plan.settings.shards, 'shard')}"
    yield "country database", reference.country_source
    yield "network database", reference.asn_source or "none (key geo.asn names one)"
    if reference.announced_source:
        yield "announced prefixes", reference.announced_source
    yield "code", plan.code_version
    yield "digest", plan.digest


def _of_list(part: RangeList) -> str:
    skipped = f"; IPv6 entries skipped: {part.ipv6:,}" if part.ipv6 else ""
    return address_count(part.addresses) + skipped


def address_count(count: int) -> str:
    """A number of addresses, with its noun."""
    return plural(count, "address", "addresses")
