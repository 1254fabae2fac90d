"""The sentences of a report about change: what appeared and disappeared, and what is left of the first sweep."""

import math
from collections.abc import Iterator

from pipeline.publish import estimates, system_sentences
from pipeline.publish.countries import in_sentence
from pipeline.publish.data import Facts
from pipeline.publish.estimates import CountryChange, Estimate
from pipeline.publish.wording import listed, number, percent
from pipeline.words.plural import plural

#: What a flag of a change that is shown means.
FLAGS = {
    "up": "more services appeared than disappeared",
    "down": "more services disappeared than appeared",
}


def sentences(facts: Facts) -> Iterator[str]:
    """What changed since the sweep to compare with, what is left of the first one of the series, and which systems ended."""
    yield from _since(facts)
    yield from _cohort(facts)
    yield from _returns(facts)
    yield from system_sentences.sentences(facts)


def _since(facts: Facts) -> Iterator[str]:
    """What appeared and disappeared since the sweep to compare with, and how much of that packet loss explains."""
    if not facts.changes or facts.comparison is None:
        return
    total = facts.changes[0]
    yield (
        f"Of {plural(total.stayed + total.went, 'service')} seen {earlier(facts)} earlier, on {facts.comparison.started:%Y-%m-%d}, "
        f"{number(total.went)} did not answer this time, and {number(total.came)} answered that had not been seen then. "
        f"{_beyond_loss(total)}"
    )
    if total.came + total.went:
        yield _verdict(facts, total)
    if total.withheld:
        yield (
            f"{plural(total.withheld, 'more service was', 'more services were')} not probed this time, after an opt-out or since the "
            "host had fallen silent after a visit; such a service counts as neither disappeared nor there."
        )
    if moved := total.moved_in:
        yield (
            f"A newer build of the country database places {plural(moved, 'service')} of then in another country; both sweeps are "
            "placed by the newer build."
        )
    shown = [row for row in facts.changes[1:] if row.flag in ("up", "down") and row.country]
    if shown and not facts.country:
        countries = listed([f"{in_sentence(row.country)} ({FLAGS[row.flag]})" for row in shown])
        yield (
            f"A change that chance rarely makes was seen in {countries}; {number(len(facts.comparison.rows))} countries were compared."
        )


def _beyond_loss(total: CountryChange) -> str:
    """What packet loss explains of a change, and what is left; and that an address is no system."""
    if math.isnan(sum(total.by_loss)):
        return "How much of that is packet loss is not known: it was not estimated in both sweeps."
    left = (
        f"{_range(total.gone)} addresses and ports no longer answer, and {_range(total.new)} answer for the first time. "
        "Many of these may be the same systems at another address."
    )
    if max(total.by_loss) <= 0:
        return f"So an estimated {left}"
    return (
        f"Packet loss alone would make {number(round(total.by_loss[1]))} look gone and {number(round(total.by_loss[0]))} look new; "
        f"beyond that, an estimated {left}"
    )


def _verdict(facts: Facts, change: CountryChange) -> str:
    """What the test of growth gives: a change that is shown, or how large one would have had to be."""
    unknown = ", if both sweeps lost alike" if math.isnan(sum(change.by_loss)) else ""
    compared = len(facts.comparison.rows) if facts.comparison and facts.country else 1
    among = f"; one of {number(compared)} countries that were compared" if compared > 1 else ""
    moved = (
        f"{number(change.came)} came and {number(change.went)} went, in {plural(change.networks_changed, 'network')}"
    )
    if change.flag in ("up", "down"):
        noun = "a growth" if change.flag == "up" else "a fall"
        p = f"p = {change.p_adjusted:.2g}{', corrected for all of them' if among else ''}"
        verdict = f"{moved}: {noun} that chance rarely makes ({p}{unknown}{among})."
    elif change.flag == estimates.FEW:
        verdict = f"{moved}: too few to distinguish growth or fall from chance."
    else:
        verdict = (
            f"No change of the number could be shown; a difference of fewer than {number(facts.smallest_shown)} between those that "
            f"came and those that went would not be{unknown}."
        )
    return f"{verdict}{_concentration(change)}"


def _concentration(change: CountryChange) -> str:
    """That most of a change happened in one network, which is one event for the test, however many services it moved."""
    if change.networks_changed < 2 or 2 * change.in_one_network <= change.came + change.went:
        return ""
    return f" Of these {number(change.came + change.went)}, {number(change.in_one_network)} are in one network."


def _cohort(facts: Facts) -> Iterator[str]:
    """How many services of the first sweep still answered at their address, as far as the series goes and no further."""
    rows = [row for row in facts.marts["cohorts"].rows if row["cohort"]]
    if rows:
        last = rows[-1]
        begun = facts.series[0]["started_at"]
        yield (
            f"Of {plural(last['cohort'], 'service')} that answered on {begun:%Y-%m-%d}, {number(last['answered'])} "
            f"({percent(last['share'])}) still answered at the same address on {facts.started:%Y-%m-%d}. A lost probe counts as no "
            "answer here, and so does a system that got another address."
        )


def _returns(facts: Facts) -> Iterator[str]:
    """How many of the services that were missing once came back, in all sweeps of the series that have a later one."""
    rows = facts.marts["returns"].rows
    absent, back = (sum(row[column] for row in rows) for column in ("absent", "back_later"))
    if absent:
        yield (
            f"In this series, services were missing {plural(absent, 'time')} in a sweep after they had answered in the one before; "
            f"{number(back) if back else 'none'} of these ended with an answer at the same address in a later sweep. A service that "
            "is missing once need not be gone."
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
