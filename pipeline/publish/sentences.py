"""The sentences of a report: what the sweep found, how sure that is, and what changed. Each can be published as it is.

No foreign text gets into a sentence: countries appear by the names of our own list.
"""

from collections.abc import Iterator

from pipeline.publish import (
    change_sentences,
    companion_findings,
    focus_sentences,
    harm_sentences,
    other_studies,
    structure,
)
from pipeline.publish.countries import in_sentence
from pipeline.publish.data import Facts, Row
from pipeline.publish.estimates import Detection, Estimate
from pipeline.publish.undoubted import WITH_DECOYS, leading
from pipeline.publish.wording import listed, number, percent
from pipeline.publish.worldmap import PER_MILLION
from pipeline.statistics.wilson import wilson
from pipeline.words.plural import plural

#: An interval of the chance to detect a service that is wider than this says little.
WIDE = 0.1
#: What a report of a testbed begins with, in every format.
SIMULATED = "A closed testbed: all hosts are simulated."
#: How many countries get a sentence of their own.
TOP_COUNTRIES = 3


def headline(facts: Facts) -> str:
    """The result in one sentence."""
    totals = facts.totals
    countries = totals["countries_undoubted"]
    where = (
        in_sentence(facts.country)
        if facts.country
        else "1 country"
        if countries == 1
        else f"{number(countries)} countries"
    )
    more = f" ({number(totals['services'])} {WITH_DECOYS})" if totals["decoys"] else ""
    return f"{plural(leading(totals), 'DICOM service')} in {where} answered{more}"


def simulated(facts: Facts) -> str | None:
    """A banner, if the sweep ran in a testbed; sweeps of earlier versions do not tell."""
    return SIMULATED if facts.about["testbed"] else None


def warning(facts: Facts) -> str | None:
    """A note under the headline, if the sweep had a focus, or the country database was old at its start."""
    return " ".join(note for note in (focus_sentences.notice(facts), _stale(facts)) if note) or None


def _stale(facts: Facts) -> str | None:
    if not facts.geo_stale:
        return None
    affected = (
        "so this count is approximate."
        if facts.country
        else "so the counts per country are approximate. The total is not affected."
    )
    return (
        f"The country database was built on {facts.geo_built}, {facts.geo_age} days before the sweep. "
        f"Addresses move between countries, {affected}"
    )


def sentences(facts: Facts) -> Iterator[str]:
    """The findings, one sentence or two each."""
    totals = facts.totals
    if not totals["services"]:
        yield _nothing(facts)
    else:
        yield _answers(totals)
        yield from _encryption(facts)
        yield from _standing(facts) if facts.country else _countries(facts)
        yield from _databases(facts)
        yield from _suspicions(facts)
        yield from _systems(facts)
        yield from structure.sentences(facts)
        yield from other_studies.sentences(facts)
        yield from companion_findings.sentence(facts.marts["companion_kinds"].rows, facts.marts["companion_ports"].rows)
        yield certainty(facts)
    yield from focus_sentences.change(facts)
    yield from change_sentences.sentences(facts)
    yield from harm_sentences.sentences(facts)


def _nothing(facts: Facts) -> str:
    """What a sweep without a service says, and what it does not."""
    finding = f"No DICOM service answered at any of the {number(facts.totals['addresses_probed'])} addresses probed"
    if facts.is_focus:
        return f"{finding}. {focus_sentences.estimate(facts)} {_reach(facts)}"
    if facts.detection or facts.sampled:
        bound = f"with 95 % confidence no more than {number(int(facts.reachable.high))} could be reached"
        return f"{finding}; {bound}. {_reach(facts)}"
    return f"{finding}, which does not show that there is none: packet loss was not estimated. {_reach(facts)}"


def _reach(facts: Facts) -> str:
    """What no estimate of the sweep covers."""
    vantages = facts.about["vantages"]
    place = "from one place" if vantages == 1 else f"from {plural(vantages, 'place')}"
    ports = listed([str(port) for port in facts.about["ports"]])
    return (
        f"The sweep probed {place}, on port{'s' if len(facts.about['ports']) > 1 else ''} {ports} alone: services on other ports, "
        "and networks that block the place, are in no number here."
    )


def _answers(totals: Row) -> str:
    """How many services took the association, rejected or aborted it."""
    accepting = totals["accepting"]
    answers = []
    if accepting is not None:
        share = f" ({with_interval(accepting, totals['services'])})" if accepting else ""
        answers.append(
            f"{number(accepting) if accepting else 'none'}{share} accepted an association from an unknown client"
        )
    answers += [f"{number(totals[column])} {column} it" for column in ("rejected", "aborted") if totals[column]]
    if not answers:
        return f"{plural(totals['services'], 'DICOM service')} answered, too few to say here how."
    services, addresses = (
        plural(totals["services"], "DICOM service"),
        plural(totals["addresses"], "address", "addresses"),
    )
    tried = "Whether images could be read was not tried; acceptance does not show it."
    return f"Of {services} at {addresses}, {listed(answers)}. {tried}"


def _encryption(facts: Facts) -> Iterator[str]:
    """The share of services inside TLS; nothing where TLS was not tried, or too few had it to say so."""
    if facts.encrypted is not None:
        inside = facts.encrypted
        share = f" ({with_interval(inside, facts.totals['services'])})" if inside else ""
        yield f"{number(inside) if inside else 'None'} of the services{share} answered inside TLS."


def with_interval(count: int, of: int) -> str:
    """A share with its interval."""
    low, high = wilson(count, of)
    return f"{percent(count / of)}, 95 % interval {percent(low)} to {percent(high)}"


def _countries(facts: Facts) -> Iterator[str]:
    """The countries with the most services, and the services without one."""
    rows = facts.with_services
    yield from (_country(row) for row in [row for row in rows if row["country"]][:TOP_COUNTRIES])
    for row in rows:
        if row["country"] is None:
            yield f"{plural(row['services'], 'service')} answered at addresses that the country database does not place."


def _country(row: Row) -> str:
    """A country's count without likely decoys, with both numbers where there are any."""
    density, decoys = "", row["decoys"] or 0
    if row["per_million"] is not None:
        known = row["addresses_undoubted"] is not None
        addresses, rate = (row[f"{name}{'_undoubted' * known}"] for name in ("addresses", "per_million"))
        density = (
            f"; {number(addresses)} of the {number(row['addresses_probed'])} addresses probed there have such a service, "
            f"{number(rate)} per million"
        )
    accepting = ""
    if row["accepting"] is not None:
        of = f"all {number(row['services'])}" if decoys else "them"
        accepted = number(row["accepting"]) if row["accepting"] else "none"
        accepting = f", and {accepted} of {of} accepted the association"
    more = f" ({number(row['services'])} {WITH_DECOYS})" if decoys else ""
    more = more if row["decoys"] is not None else " (likely decoys included)"
    services = f"{plural(leading(row), 'DICOM service')}{more}"
    where = in_sentence(row["country"])
    return f"{services} answered at addresses that the country database places in {where}{accepting}{density}."


def _standing(facts: Facts) -> Iterator[str]:
    """Where a country is among all with services; nothing for a country without any, nor if it is the only one."""
    own = next((row for row in facts.ranked if row["country"] == facts.country), None)
    if own is None or len(facts.ranked) < 2:
        return
    dense = ""
    if own["per_million"] is not None:
        rate = PER_MILLION.value(own) or 0
        place = 1 + sum((PER_MILLION.value(row) or 0) > rate for row in facts.ranked)
        dense = f"; by addresses with a service per million probed, number {place}"
    yield (
        f"By the number of services without likely decoys, {in_sentence(facts.country)} is number {own['rank']} of the "
        f"{number(len(facts.ranked))} countries in which any answered{dense}."
    )


def _databases(facts: Facts) -> Iterator[str]:
    """How far the counts per country depend on the geolocation database."""
    rows = [row for row in facts.marts["country_databases"].rows if row["services_second"] is not None]
    rows = [row for row in rows if row["both"] is not None]
    if not rows:
        return
    services, second, both = (sum(row[key] for row in rows) for key in ("services", "services_second", "both"))
    if facts.country:
        yield (
            f"A second geolocation database places {plural(second, 'service')} in {in_sentence(facts.country)}; "
            f"{number(both)} of them are among those counted here."
        )
    else:
        unknown = sum(row["services_second"] for row in rows if row["country"] is None)
        same = sum(row["both"] for row in rows if row["country"] is not None)
        parts = [
            f"{number(same)} of the {plural(services, 'service')} in the same country",
            f"{number(services - same - unknown)} in another",
        ]
        parts += [f"{number(unknown)} nowhere"] if unknown else []
        yield f"A second geolocation database places {listed(parts)}."


def _suspicions(facts: Facts) -> Iterator[str]:
    """How many services are probably not medical systems."""
    if facts.totals["decoys"]:
        yield (
            f"{number(facts.totals['decoys'])} of the services behave like known honeypots, or are in networks in which nearly every "
            "address answers or many give the same answer. They are likely decoys. The headline and the sentences of countries "
            "begin with the number without them, as maps, ranks and trends do; all other counts include them."
        )


def _systems(facts: Facts) -> Iterator[str]:
    """How many systems the services run on."""
    if facts.systems is None:
        return
    strict, middle, loose = facts.systems
    if strict == loose:
        yield f"By strict and by loose rules alike, these services are {plural(strict, 'system')}."
    else:
        yield (
            f"By a strict, a middle and a loose rule of what belongs together, these services are {number(strict)}, "
            f"{number(middle)} or {plural(loose, 'system')}. The truth may lie outside: one address may lead to several systems."
        )


def certainty(facts: Facts) -> str:
    """How far the count can be off: what sampling and packet loss hide, and what no estimate covers."""
    if facts.is_focus:
        return f"{focus_sentences.estimate(facts)} {_reach(facts)}"
    if facts.detection:
        return f"{_by_detection(facts, facts.detection)}{_few_looks(facts.detection)} {_reach(facts)}"
    if not facts.sampled:
        return (
            "The sweep probed the whole target space. At least this many services are there: packet loss hides some, "
            f"which this sweep did not estimate. {_reach(facts)}"
        )
    there = facts.reachable
    return (
        f"{_sample(facts)} In the whole target space, an estimated {number(round(there.value))} DICOM services would answer "
        f"(95 % interval {_ends(there)}), not counting those that packet loss hides. {_reach(facts)}"
    )


def _sample(facts: Facts) -> str:
    return f"The sweep probed a random {100 * facts.about['sampled_share']:.3g} % of the addresses."


def _by_detection(facts: Facts, detection: Detection) -> str:
    """The estimate where a second look measured the loss."""
    (reachable,) = facts.estimates([facts.totals])
    chance = detection.chance
    sample = f"{_sample(facts)} " if facts.sampled else ""
    return (
        f"{sample}Of the hosts that answer us at all, a single probe reaches {percent(chance.value)}, measured against "
        f"{detection.method} (95 % interval {percent(chance.low)} to {percent(chance.high)}); only short losses are in this. "
        f"{_services_missed(facts)} at least an estimated {number(round(reachable.value))} were reachable "
        f"(95 % interval {_ends(reachable)}). Services whose conversation was lost after they had answered the SYN are in no "
        "estimate, so there may be more than the interval says."
    )


def _services_missed(facts: Facts) -> str:
    """How the loss of services is known: by looks at services, or only if they are lost no more often than other hosts."""
    if facts.service_detection is None:
        return "If DICOM services are lost no more often than other hosts,"
    looked, again = facts.services_looked
    if not looked:
        return "With the loss of each country, and what a second SYN found of services,"
    return f"Of {plural(looked, 'service')} that one SYN found, another found {number(again)} too. With the loss of each country,"


def _ends(estimate: Estimate) -> str:
    return f"{number(int(estimate.low))} to {number(int(estimate.high))}"


def _few_looks(detection: Detection) -> str:
    """What would narrow the estimate, if the interval of loss is wide."""
    if detection.chance.high - detection.chance.low <= WIDE:
        return ""
    return f" The loss is hardly known: only {plural(detection.hosts, 'host')} measured it."
