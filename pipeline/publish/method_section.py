"""The method section of a report: what was sent, the figures that make a number reproducible, and how to read the tables."""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.config.sections import Profile
from pipeline.publish.change_sentences import earlier
from pipeline.publish.data import Facts
from pipeline.publish.wording import listed, number, percent
from pipeline.wire.capabilities import PROPOSALS
from pipeline.words.plural import plural

#: Profiles that propose every service of `wire.capabilities`, and those with second visits through TLS.
CAPABILITIES = frozenset(profile for profile in Profile if profile.proposes_capabilities)
SECOND_VISITS = frozenset(profile for profile in Profile if profile.makes_second_visits)
#: How to read the tables and figures.
NOTES = (
    "“Per million” is the number of addresses with at least one service, per million addresses probed in the country, most of which "
    "nobody uses; for sampled sweeps it comes with a 95 % interval.",
    "A country is where a geolocation database places an address. Free databases differ on 2 to 10 % of addresses.",
    "Product names are what the services claim. Names that look like an address or a host are withheld.",
    "“Appeared” and “disappeared” count the addresses and ports seen in only one of the two sweeps; a system that gets another "
    "address does both. A change is marked if its p, after packet loss is taken into account and corrected for the number of "
    "countries compared (Holm), is below 0.05. “Not shown” does not mean that nothing changed; “too few to judge” means that no "
    "change could have been shown.",
    "Likely decoys are included in all counts except the headline’s first, and shown separately.",
    "The interval of a share (Wilson, 95 %) says how little few services show: the one service of a country may accept everybody, and "
    "still say nothing of the next one.",
)


#: How a focus selects the addresses that it visits.
DRAWN = "all /24s where earlier whole sweeps found a service, and a random sample of all other /24s"


class MethodLine(NamedTuple):
    """A line of the method section; the text is foreign if a database or a configuration wrote part of it."""

    term: str
    text: str
    foreign: bool = False


def sent(facts: Facts) -> Iterator[str]:
    """What the sweep sent, with the counts of its receipts."""
    packets = facts.packets
    yield f"The sweep sent one SYN to each of {plural(facts.about['probes_sent'], 'target')} (an address and a port)."
    yield _request(facts)
    if packets["repeated_ranges"]:
        again = plural(packets["repeated_ranges"], "range of targets was", "ranges of targets were")
        yield (
            f"{again} run again, because an attempt was cut off, or because "
            "its answers could not be trusted (the hit rate had fallen, a control target or the next hop was silent)."
        )
    if packets["probes_abandoned"]:
        yield f"{plural(packets['probes_abandoned'], 'SYN')} more left in these earlier attempts."
    if packets["crashed_ranges"]:
        yield (
            f"A crash cut off {plural(packets['crashed_ranges'], 'range')} of targets, which were probed again; how many SYNs "
            "had left before is not known."
        )
    if packets["second_probes"]:
        yield f"{plural(packets['second_probes'], 'target')} got a second SYN seconds later, to measure packet loss."
    if packets["control_probes"]:
        yield (
            f"{plural(packets['control_probes'], 'address', 'addresses')} got a SYN on a port where nothing should answer, to find "
            "networks that answer everything."
        )
    if packets["harm_probes"]:
        yield f"{plural(packets['harm_probes'], 'further SYN')} checked whether hosts still answered after a visit."
    if packets["companion_probes"]:
        yield (
            f"{plural(packets['companion_probes'], 'SYN')} without data went to other ports of hosts that had spoken DICOM, some "
            "time after the visit, to see whether anything listens there; any answer was reset, and no data was sent."
        )
    if packets["syn_retransmits"]:
        yield f"The operating system repeated {plural(packets['syn_retransmits'], 'SYN')} that got no answer."
    yield from _visits(facts)
    yield "No patient data was queried, retrieved or stored, and nothing that was sent could have returned any."


def _visits(facts: Facts) -> Iterator[str]:
    """What became of visits: late ones, second ones, those inside TLS."""
    packets = facts.packets
    if packets["late_deadlines"]:
        yield (
            f"In {plural(packets['late_deadlines'], 'conversation')} the scanning machine was more than a second late, and ended it "
            "by its deadline: some of these hosts may have answered unheard."
        )
    if facts.about["profile"] in SECOND_VISITS:
        yield "Hosts that ended the connection after the request, or answered it with TLS, got a second visit, inside TLS."
    if packets["handshakes"]:
        yield f"In {plural(packets['handshakes'], 'connection')} the association was attempted inside TLS."


def _request(facts: Facts) -> str:
    """What a host that answered got, by the sweep's profile."""
    proposal = "only Verification"
    if facts.about["profile"] in CAPABILITIES:
        proposal = f"Verification and {len(PROPOSALS) - 1} other services (none of which was used)"
    echo = ["one C-ECHO if they accepted it"] if facts.sends_echo else []
    steps = [f"a request for an association that proposes {proposal}", *echo, "a release or an abort"]
    return f"Hosts that answered also got {listed(steps)}."


def _space(facts: Facts) -> str:
    """How many addresses there are, and how many of them were visited."""
    about = facts.about
    if facts.is_focus:
        return (
            f"{number(about['focus_addresses'])} addresses, {number(about['addresses'])} visited by a focus ({DRAWN})"
        )
    return f"{number(about['addresses'])} addresses, {number(about['sampled_addresses'])} visited"


def table(facts: Facts) -> list[MethodLine]:
    """What was done, line by line."""
    about, packets = facts.about, {name: number(count) for name, count in facts.packets.items()}
    return [
        MethodLine("Sweep", f"{about['name']} ({facts.sweep})", foreign=True),
        MethodLine("Dates", f"{facts.started:%Y-%m-%d %H:%M} to {about['finished_at']:%Y-%m-%d %H:%M} UTC"),
        MethodLine("Plan digest", str(about["plan_digest"])),
        *([MethodLine("Proof", facts.proof, foreign=True)] if facts.proof else []),
        MethodLine("Profile", str(about["profile"])),
        MethodLine("Ports", ", ".join(map(str, about["ports"]))),
        MethodLine("Target space", _space(facts)),
        MethodLine("Probes", f"{number(about['probes_sent'])}{_pace(facts)}"),
        MethodLine("Vantages", number(about["vantages"])),
        MethodLine(
            "Answers",
            f"{packets['answers']} SYN-ACKs ({packets['duplicates']} repeated), {packets['resets']} resets, "
            f"{packets['unreachable']} ICMP unreachable messages",
        ),
        MethodLine(
            "Not probed",
            f"{number(facts.packets['suppressed'] - facts.packets['quarantined'])} targets opted out, "
            f"{packets['quarantined']} quarantined",
        ),
        MethodLine("Packets discarded", f"{packets['ring_dropped']} (receive ring full)"),
        MethodLine(
            "Interruptions",
            f"{plural(facts.packets['stalls'], 'pause')} of a sender over 10 ms, which delay probes and lose none; "
            f"{plural(facts.packets['revisited'], 'conversation')} repeated after a crash",
        ),
        *_sources(facts),
        MethodLine(
            "Comparable sweeps", f"{plural(len(facts.series), 'sweep')} in this series (same request, same vantages)"
        ),
        MethodLine("Detection", _detection(facts)),
        MethodLine("Compared with", _comparison(facts), foreign=True),
        MethodLine("Small cells", _small_cells(facts)),
        MethodLine("Exposed means", "a DICOM answer: accept, reject or abort (definition exposed_2026_11)"),
        MethodLine("Program", f"dicom-census {about['code_version']}", foreign=True),
    ]


def _pace(facts: Facts) -> str:
    return f", on average {number(facts.rate)} a second while sending" if facts.rate else ""


def _small_cells(facts: Facts) -> str:
    return (
        f"of a country, fewer than {facts.scope.min_cell} services are not distinguished: cells are merged or withheld, and so is "
        "all from which they would follow"
    )


def _sources(facts: Facts) -> Iterator[MethodLine]:
    """The databases that place addresses in countries."""
    yield MethodLine("Countries", facts.country_source or "not enriched", foreign=True)
    if not facts.knows_networks:
        yield MethodLine("Networks", "no network database was used, so owners and kinds of network are not known")
    yield MethodLine("Countries, second database", facts.second_source or "none used", foreign=True)


def _detection(facts: Facts) -> str:
    if facts.detection is None:
        return "not estimated: no second SYN, and no other vantage that began by the same method within an hour"
    chance = facts.detection.chance
    return f"{percent(chance.value)} ({percent(chance.low)} to {percent(chance.high)}), by {facts.detection.method}"


def _comparison(facts: Facts) -> str:
    if facts.comparison is None:
        return "nothing: no earlier sweep of the same name, method and vantages that visited every address"
    return f"{facts.comparison.sweep}, {earlier(facts)} earlier"
