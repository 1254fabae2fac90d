"""The sentences of a report: what was found, how sure that is, and what it does not say."""

from collections.abc import Iterator

from pipeline.publish.countries import in_sentence
from pipeline.publish.facts import FRESH_DAYS, Facts, Row

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
    return f"{plural(totals['services'], 'DICOM service')} in {where} answered{doubt}"


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
        return
    yield (
        f"Of {plural(totals['services'], 'service')} that speak DICOM at "
        f"{plural(totals['addresses'], 'address', 'es')}, {number(totals['accepting'])} accepted an association from a "
        f"stranger and {number(totals['rejected'])} rejected it."
    )
    yield from (_country(row) for row in [row for row in found(facts) if row["country"]][:NAMED])
    yield from (
        f"{plural(row['services'], 'service')} answered from addresses that the country database does not place."
        for row in found(facts)
        if row["country"] is None
    )
    yield certainty(facts)


def certainty(facts: Facts) -> str:
    """How far the count can be off, as far as this version knows."""
    totals = facts.totals
    if not facts.sampled:
        return (
            "The whole target space was swept: the count is complete up to loss on the network, "
            "which this version does not estimate."
        )
    low, middle, high = (
        number(round(totals[key])) for key in ("addresses_low", "addresses_estimated", "addresses_high")
    )
    return (
        f"A random {100 * facts.about['sampled_share']:.3g} % of the addresses was visited: an estimated {middle} "
        f"addresses of the whole target space would answer (95 % Wilson interval {low} to {high}), loss on the "
        "network not included."
    )


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
        ("Exposed means", "exposed_2026_11: an answer that only a DICOM upper layer gives (accept, reject, abort)"),
        ("Program", f"dicom-census {about['code_version']}"),
    ]
