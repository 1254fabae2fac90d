"""The sentences of a report: what was found, how sure that is, and what it does not say."""

import math
from collections.abc import Iterator

from pipeline.publish import estimates, harm_sentences
from pipeline.publish.countries import in_sentence, name
from pipeline.publish.data import FRESH_DAYS, Facts, Row
from pipeline.publish.estimates import Changed, Estimate

#: What a flag of change means.
FLAGS = {
    "up": "more came than went",
    "down": "more went than came",
    "turnover": "more came and went than loss explains",
}

#: How many countries get a sentence of their own.
NAMED = 3

STEPS = {
    "probed": "probed",
    "responsive": "answered our SYN",
    "accepts_data": "took our request",
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


def headline(facts: Facts) -> str:
    """What the sweep found, in one sentence, with its doubt if the country database was old."""
    totals = facts.totals
    where = "1 country" if totals["countries"] == 1 else f"{number(totals['countries'])} countries"
    doubt = f" (countries uncertain: their database was {facts.geo_age} days old)" if facts.geo_stale else ""
    place = in_sentence(facts.country) if facts.country else where
    return f"{plural(totals['services'], 'DICOM service')} in {place} answered{doubt}"


def warning(facts: Facts) -> str | None:
    """The caution that follows such a headline."""
    if not facts.geo_stale:
        return None
    return (
        f"Country databases age: this one was built on {facts.geo_built}, more than {FRESH_DAYS} days before the "
        "sweep. Take the counts per country as rough; the total does not depend on it."
    )


def sentences(facts: Facts) -> Iterator[str]:
    """The findings, one sentence each."""
    totals = facts.totals
    if not totals["services"]:
        yield f"None of {number(totals['addresses_probed'])} addresses answered as DICOM does."
    else:
        yield (
            f"Of {plural(totals['services'], 'service')} that speak DICOM at "
            f"{plural(totals['addresses'], 'address', 'es')}, {number(totals['accepting'])} accepted an association from a "
            f"stranger and {number(totals['rejected'])} rejected it."
        )
        if not facts.country:
            yield from (_country(row) for row in [row for row in found(facts) if row["country"]][:NAMED])
            yield from (
                f"{plural(row['services'], 'service')} answered from addresses that the country database does not place."
                for row in found(facts)
                if row["country"] is None
            )
        yield from _databases(facts)
        yield from _doubts(facts)
        yield certainty(facts)
    yield from _change(facts)
    yield from _lasting(facts)
    yield from harm_sentences.sentences(facts.marts["harm_arms"].rows)


def _databases(facts: Facts) -> Iterator[str]:
    """How far the counts of countries depend on who places the addresses."""
    rows = [row for row in facts.marts["country_databases"].rows if row["services_second"] is not None]
    if not rows:
        return
    services, second, both = (sum(row[key] for row in rows) for key in ("services", "services_second", "both"))
    if facts.country:
        yield (
            f"A second database places {plural(second, 'service')} in {in_sentence(facts.country)}, "
            f"{number(both)} of them the same."
        )
    else:
        yield (
            f"A second database of places agrees on the country of {number(both)} of the {plural(services, 'service')}; the "
            "counts by both stand side by side below."
        )


def _doubts(facts: Facts) -> Iterator[str]:
    """How many are likely no medical system, and how many systems the services are."""
    sums = {key: sum(row[key] for row in facts.marts["doubts"].rows) for key in ("honeypot", "answers_everything")}
    if any(sums.values()):
        yield (
            f"{number(sums['honeypot'])} of the services behave as known honeypots do and {number(sums['answers_everything'])} "
            "stand in networks that answer everything; they are counted here, and shown apart below."
        )
    rows = [row for row in facts.marts["system_counts"].rows if row["possible"] is not None]
    if rows:
        low, high = (sum(row[key] for row in rows) for key in ("possible", "certain"))
        yield f"The services are between {number(low)} and {number(high)} systems, by how much evidence makes two services one."


def certainty(facts: Facts) -> str:
    """How far the count can be off: what sampling and loss hide."""
    totals, seen = facts.totals, facts.seen
    if seen:
        chance = seen.chance
        (told,) = facts.estimates([totals["services"]])
        sample = (
            f"{100 * facts.about['sampled_share']:.3g} % of the addresses were visited, and " if facts.sampled else ""
        )
        begin = f"{sample}by" if sample else "By"
        return (
            f"{begin} {seen.how} the sweep sees {_percent(chance.value)} of what is there (95 % interval "
            f"{_percent(chance.low)} to {_percent(chance.high)}): an estimated {number(round(told.value))} services were there "
            f"(95 % interval {number(int(told.low))} to {number(int(told.high))})."
        )
    if not facts.sampled:
        return (
            "The whole target space was swept: the count is complete up to loss on the network, "
            "which this sweep did not estimate."
        )
    low, middle, high = (
        number(round(totals[key])) for key in ("addresses_low", "addresses_estimated", "addresses_high")
    )
    return (
        f"A random {100 * facts.about['sampled_share']:.3g} % of the addresses was visited: an estimated {middle} "
        f"addresses of the whole target space would answer (95 % Wilson interval {low} to {high}), loss on the "
        "network not included."
    )


def _change(facts: Facts) -> Iterator[str]:
    """What came and went since the sweep that is compared with, and how much of it loss makes."""
    if not facts.changes or facts.compared is None:
        return
    told = facts.changes[0]
    of = told.stayed + told.went
    yield (
        f"Of {plural(of, 'service')} seen {_ago(facts)} before, {number(told.went)} did not answer now, and {number(told.came)} "
        f"answered that did not then."
    )
    if max(told.by_loss) > 0:
        yield (
            f"Loss alone would make {number(round(told.by_loss[1]))} look gone and {number(round(told.by_loss[0]))} look new; "
            f"beyond that, {_range(told.gone)} are gone and {_range(told.new)} are new. {_verdict(told)}"
        )
    else:
        yield _verdict(told)
    flagged = [row for row in facts.changes[1:] if row.flag and row.country]
    if flagged and not facts.country:
        yield (
            "Countries with a change beyond chance: "
            + ", ".join(f"{name(row.country)} ({FLAGS[row.flag]})" for row in flagged)
            + "."
        )


def _verdict(told: Changed) -> str:
    """What the two tests say."""
    growth = f"p = {told.p_growth:.2g}, McNemar’s exact test"
    if told.p_growth < 0.05:
        return (
            f"More {'came than went' if told.came > told.went else 'went than came'} than chance explains ({growth})."
        )
    return f"That as many came as went is not refuted ({growth})."


def _lasting(facts: Facts) -> Iterator[str]:
    """How long an exposure lasts, once a series is long enough to tell."""
    if not facts.survival:
        return
    last = facts.survival[-1].stays
    days = estimates.half_life(facts.survival)
    half = f"; at this rate half of them would be gone after {number(round(days))} days" if math.isfinite(days) else ""
    yield (
        f"In the last step that the series can tell, {_percent(last.value)} of the exposed services stayed "
        f"(95 % interval {_percent(last.low)} to {_percent(last.high)}, loss taken out){half}."
    )


def _ago(facts: Facts) -> str:
    assert facts.compared is not None  # noqa: S101 - the caller looked
    days = round((facts.started - facts.compared.started).total_seconds() / 86400)
    return plural(days // 7, "week") if days and days % 7 == 0 else plural(days, "day")


def _range(told: Estimate) -> str:
    return f"{number(round(told.value))} ({number(round(told.low))} to {number(round(told.high))})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def found(facts: Facts) -> list[Row]:
    """The countries with at least one service, the most services first."""
    return [row for row in facts.marts["countries"].rows if row["services"]]


def _country(row: Row) -> str:
    return (
        f"{plural(row['services'], 'DICOM service')} in {in_sentence(row['country'])} answered, "
        f"{number(row['accepting'])} of them accepted the association: {number(row['per_million'])} "
        f"addresses per million probed."
    )


def method(facts: Facts) -> list[tuple[str, str]]:
    """What was done, as pairs of term and text."""
    about, losses = facts.about, facts.losses
    return [
        ("Sweep", f"{about['name']} ({facts.sweep})"),
        ("Dates", f"{facts.started:%Y-%m-%d %H:%M} to {about['finished_at']:%Y-%m-%d %H:%M} UTC"),
        ("Plan digest", str(about["plan_digest"])),
        ("Profile", str(about["profile"])),
        ("Ports", ", ".join(map(str, about["ports"]))),
        ("Target space", f"{number(about['addresses'])} addresses, {number(about['sampled_addresses'])} visited"),
        ("Probes", f"{number(about['probes_sent'])}, on average {number(facts.rate)} a second"),
        ("Vantages", number(about["vantages"])),
        ("Received and set aside", ", ".join(f"{key.replace('_', ' ')} {number(n)}" for key, n in losses.items())),
        ("Countries", facts.country_source or "not enriched"),
        ("Countries, second database", facts.second_source or "none was asked"),
        ("Method", f"series of {plural(len(facts.series), 'sweep')} that asked alike, from the same place"),
        ("Detection", _detection(facts)),
        ("Compared with", _compared(facts)),
        ("Small cells", f"crossed with a country, fewer than {facts.edition.least} services are not told apart"),
        ("Exposed means", "exposed_2026_11: an answer that only a DICOM upper layer gives (accept, reject, abort)"),
        ("Program", f"dicom-census {about['code_version']}"),
    ]


def _detection(facts: Facts) -> str:
    seen = facts.seen
    if seen is None:
        return "not estimated: no second look, and no other vantage that asked alike within three days"
    return f"{_percent(seen.chance.value)} ({_percent(seen.chance.low)} to {_percent(seen.chance.high)}), by {seen.how}"


def _compared(facts: Facts) -> str:
    if facts.compared is None:
        return "nothing: no earlier sweep of the same name, method and vantages that visited every address"
    return f"{facts.compared.sweep}, {_ago(facts)} before"
