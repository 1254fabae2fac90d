"""The sentences of a report: what the sweep found, how sure that is, and what changed. Each can be published as it is.

No foreign text gets into a sentence: countries appear by the names of our own list.
"""

import math
from collections.abc import Iterator

from pipeline.publish import estimates, harm_sentences
from pipeline.publish.countries import in_sentence
from pipeline.publish.data import Facts, Row
from pipeline.publish.estimates import CountryChange, Detection, Estimate

#: What a flag of change means.
FLAGS = {
    "up": "more services appeared than disappeared",
    "down": "more services disappeared than appeared",
    "turnover": "more services appeared and disappeared than packet loss explains",
}

#: An interval of the chance to detect a service that is wider than this says little.
WIDE = 0.1
#: How many countries get a sentence of their own.
TOP_COUNTRIES = 3

STEPS = {
    "probed": "probed",
    "responsive": "answered our SYN",
    "accepts_data": "accepted our data",
    "speaks_dicom": "speak DICOM",
    "accepts_association": "accept the association",
    "echoes": "answer C-ECHO",
}


def number(value: float | None) -> str:
    """A number for people: thousands separated, other fractions to three digits, a dash for null."""
    if value is None:
        return "–"
    if isinstance(value, int) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".") if value else "0"


def plural(count: int, noun: str, ending: str = "s") -> str:
    """A count with its noun: "1 service", "2 services"."""
    return f"{number(count)} {noun}{'' if count == 1 else ending}"


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def headline(facts: Facts) -> str:
    """The result in one sentence."""
    totals = facts.totals
    countries = "1 country" if totals["countries"] == 1 else f"{number(totals['countries'])} countries"
    where = in_sentence(facts.country) if facts.country else countries
    return f"{plural(totals['services'], 'DICOM service')} in {where} answered"


def warning(facts: Facts) -> str | None:
    """A note under the headline, if the country database was old at the sweep's start."""
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
        yield f"No DICOM service answered at any of the {number(totals['addresses_probed'])} addresses probed."
    else:
        yield _answers(totals)
        if not facts.country:
            yield from _countries(facts)
        yield from _databases(facts)
        yield from _suspicions(facts)
        yield from _systems(facts)
        yield from _companions(facts)
        yield certainty(facts)
    yield from _change(facts)
    yield from _survival(facts)
    yield from harm_sentences.sentences(facts.marts["harm_arms"].rows)


def _answers(totals: Row) -> str:
    """How many services took the association, rejected or aborted it."""
    counts = [(totals["accepting"], "accepted an association from an unknown client")]
    counts += [(totals[column], f"{column} it") for column in ("rejected", "aborted") if totals[column]]
    answers = [f"{number(count) if count else 'none'} {verb}" for count, verb in counts]
    services, addresses = plural(totals["services"], "DICOM service"), plural(totals["addresses"], "address", "es")
    return f"Of {services} at {addresses}, {listed(answers)}."


def listed(parts: list[str]) -> str:
    """Parts of a sentence: "a", "a and b", "a, b, and c"."""
    *first, last = parts
    return f"{', '.join(first)}{',' if len(first) > 1 else ''} and {last}" if first else last


def _countries(facts: Facts) -> Iterator[str]:
    """The countries with the most services, and the services without one."""
    rows = with_services(facts)
    yield from (_country(row) for row in [row for row in rows if row["country"]][:TOP_COUNTRIES])
    for row in rows:
        if row["country"] is None:
            yield f"{plural(row['services'], 'service')} answered at addresses that the country database does not place."


def with_services(facts: Facts) -> list[Row]:
    """The countries with at least one service, the most services first."""
    return [row for row in facts.marts["countries"].rows if row["services"]]


def _country(row: Row) -> str:
    density = ""
    if row["per_million"] is not None:
        density = f"; per million addresses probed there, {number(row['per_million'])} have such a service"
    accepting = number(row["accepting"]) if row["accepting"] else "none"
    services = plural(row["services"], "DICOM service")
    return f"{services} answered in {in_sentence(row['country'])}, and {accepting} of them accepted the association{density}."


def _databases(facts: Facts) -> Iterator[str]:
    """How far the counts per country depend on the geolocation database."""
    rows = [row for row in facts.marts["country_databases"].rows if row["services_second"] is not None]
    if not rows:
        return
    services, second, both = (sum(row[key] for row in rows) for key in ("services", "services_second", "both"))
    if facts.country:
        yield (
            f"A second geolocation database places {plural(second, 'service')} in {in_sentence(facts.country)}; "
            f"{number(both)} of them are among those counted here."
        )
    else:
        yield (
            f"A second geolocation database agrees on the country of {number(both)} of the {plural(services, 'service')}. "
            "The counts by both are listed below."
        )


def _suspicions(facts: Facts) -> Iterator[str]:
    """How many services are probably not medical systems."""
    rows = facts.marts["doubts"].rows
    honeypots, uniform = (sum(row[column] for row in rows) for column in ("honeypot", "answers_everything"))
    if honeypots or uniform:
        yield (
            f"{number(honeypots)} of the services behave like known honeypots, and {number(uniform)} are in networks in which "
            "nearly every address answers, or many give the same answer. They are included in the counts and shown separately "
            "below."
        )


def _systems(facts: Facts) -> Iterator[str]:
    """How many systems the services run on."""
    rows = [row for row in facts.marts["system_counts"].rows if row["possible"] is not None]
    if rows:
        low, high = (sum(row[column] for row in rows) for column in ("possible", "certain"))
        count = f"{number(low)} to {number(high)} distinct systems" if low < high else plural(high, "distinct system")
        yield (
            f"These services run on an estimated {count}"
            + (", depending on how strictly services are grouped." if low < high else ".")
        )


def _companions(facts: Facts) -> Iterator[str]:
    """Which other ports are open at DICOM hosts; nothing if the sweep sent no companion SYNs."""
    rows = facts.marts["companion_ports"].rows
    counts = [
        f"port {row['port']} at {number(row['companions_open'])} of {number(row['companions_probed'])} "
        f"({percent(row['share'])})"
        for row in rows
    ]
    if counts:
        yield f"Addresses that spoke DICOM have other open ports as well: {listed(counts)}. What listens there was not looked at."


def certainty(facts: Facts) -> str:
    """How far the count can be off: what sampling and packet loss hide."""
    if facts.detection:
        return _by_detection(facts, facts.detection.chance, facts.detection.method) + _few_looks(facts.detection)
    if not facts.sampled:
        return (
            "The sweep probed the whole target space. At least this many services are there: packet loss hides some, "
            "which this sweep did not estimate."
        )
    columns = ("addresses_low", "addresses_estimated", "addresses_high")
    low, estimated, high = (number(round(facts.totals[column])) for column in columns)
    return (
        f"{_sample(facts)} In the whole target space, an estimated {estimated} addresses would answer as DICOM services "
        f"(95 % Wilson interval {low} to {high}), not counting those that packet loss hides."
    )


def _sample(facts: Facts) -> str:
    return f"The sweep probed a random {100 * facts.about['sampled_share']:.3g} % of the addresses."


def _by_detection(facts: Facts, chance: Estimate, method: str) -> str:
    """The estimate where a second look measured the loss."""
    (reachable,) = facts.estimates([facts.totals["services"]])
    begin = (
        f"{_sample(facts)} Measured against {method}, it" if facts.sampled else f"Measured against {method}, the sweep"
    )
    return (
        f"{begin} detects {percent(chance.value)} of what responds (95 % interval {percent(chance.low)} to "
        f"{percent(chance.high)}). An estimated {number(round(reachable.value))} services were reachable "
        f"(95 % interval {number(int(reachable.low))} to {number(int(reachable.high))})."
    )


def _few_looks(detection: Detection) -> str:
    """What would narrow the estimate, if the interval of loss is wide."""
    if detection.chance.high - detection.chance.low <= WIDE:
        return ""
    return (
        f" The loss is hardly known, from {plural(detection.hosts, 'host')} alone; "
        "more second SYNs (key loss.sample) narrow this interval."
    )


def _change(facts: Facts) -> Iterator[str]:
    """What appeared and disappeared since the sweep to compare with, and how much of that packet loss explains."""
    if not facts.changes or facts.comparison is None:
        return
    total = facts.changes[0]
    yield (
        f"Of {plural(total.stayed + total.went, 'service')} seen {earlier(facts)} earlier, {number(total.went)} did not answer "
        f"this time, and {number(total.came)} answered that had not been seen then."
    )
    if max(total.by_loss) > 0:
        yield (
            f"Packet loss alone would make {number(round(total.by_loss[1]))} look gone and {number(round(total.by_loss[0]))} "
            f"look new. Beyond that, an estimated {_range(total.gone)} are gone and {_range(total.new)} are new. {_verdict(total)}"
        )
    else:
        yield _verdict(total)
    significant = [row for row in facts.changes[1:] if row.flag and row.country]
    if significant and not facts.country:
        countries = listed([f"{in_sentence(row.country)} ({FLAGS[row.flag]})" for row in significant])
        yield f"The change exceeds chance in {countries}."


def _verdict(change: CountryChange) -> str:
    """What the test of growth gives."""
    test = f"p = {change.p_growth:.2g}, McNemar’s exact test"
    if change.p_growth >= estimates.SIGNIFICANT:
        return f"New and disappeared services do not differ significantly in number ({test})."
    direction = "appeared than disappeared" if change.came > change.went else "disappeared than appeared"
    return f"Significantly more services {direction} ({test})."


def _survival(facts: Facts) -> Iterator[str]:
    """How long an exposure lasts, once a series is long enough for an estimate."""
    if not facts.survival:
        return
    last = facts.survival[-1].stays
    days = estimates.half_life(facts.survival)
    after = f"after {plural(round(days), 'day')}" if math.isfinite(days) and round(days) else "within a day"
    half = f" At this rate, half of them would be gone {after}." if math.isfinite(days) else ""
    yield (
        f"Between the last two sweeps that allow an estimate, {percent(last.value)} of the exposed services persisted "
        f"(95 % interval {percent(last.low)} to {percent(last.high)}, corrected for packet loss).{half}"
    )


def earlier(facts: Facts) -> str:
    """How long before this sweep the one it is compared with began: "1 week", "10 days"."""
    assert facts.comparison is not None  # noqa: S101 - the callers looked
    days = round((facts.started - facts.comparison.started).total_seconds() / 86400)
    if not days:
        return "less than a day"
    return plural(days // 7, "week") if days and days % 7 == 0 else plural(days, "day")


def _range(estimate: Estimate) -> str:
    return f"{number(round(estimate.value))} ({number(round(estimate.low))} to {number(round(estimate.high))})"
