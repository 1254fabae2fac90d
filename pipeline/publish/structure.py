"""What a report says of rates, concentration, the age of software, services that stayed, and two databases' bounds."""

from collections.abc import Iterator, Sequence

from pipeline.publish.companion_findings import TOTAL
from pipeline.publish.countries import in_sentence
from pipeline.publish.data import Facts, Row
from pipeline.publish.wording import listed, number, percent
from pipeline.words.plural import plural

#: How many countries the sentence of bounds names.
MOST_NAMED = 3


def rates(facts: Facts) -> list[Row]:
    """The countries with a service under all together, if it is known which addresses are announced, or answered."""
    rows = [row for row in facts.marts["rates"].rows if row["services"]]
    return _titled(rows) if any(row["announced"] or row["responsive"] for row in rows) else []


def concentration(facts: Facts) -> list[Row]:
    """All countries together, then each with more than is withheld."""
    return _titled([row for row in facts.marts["concentration"].rows if row["of_all"] or row["largest"] is not None])


def software_ages(facts: Facts) -> list[Row]:
    """All countries together, then each of which it is shown how many declare a version whose release date is known."""
    return _titled([row for row in facts.marts["software_ages"].rows if row["of_all"] or row["dated"] is not None])


def stayers(facts: Facts) -> list[Row]:
    """All countries together, then each; empty without a previous sweep, or where the report compares with another one."""
    before = facts.series[-2]["sweep"] if len(facts.series) > 1 else None
    rows = facts.marts["stayers"].rows
    return _titled(rows) if facts.comparison and facts.comparison.sweep == before else []


def bounds(facts: Facts) -> list[Row]:
    """The countries that two databases give a service; none if no second one was used."""
    return [row for row in facts.marts["country_bounds"].rows if row["most"]]


def visibility(facts: Facts) -> list[Row]:
    """What each vantage sees of all countries together, then of each country where that is shown of any vantage."""
    rows = [row for row in facts.marts["visibility"].rows if row["visible"] is not None or row["of_all"]]
    ordered = sorted(rows, key=lambda row: (not row["of_all"], row["country"] or "", row["vantage_name"]))
    return [row | {"country": TOTAL} if row["of_all"] else row for row in ordered]


def sentences(facts: Facts) -> Iterator[str]:
    """A sentence of each that has something to say."""
    yield from _rates(_own(facts, rates(facts)))
    yield from _concentration(_own(facts, concentration(facts)))
    yield from _ages(_own(facts, software_ages(facts)))
    yield from _stayers(_own(facts, stayers(facts)))
    yield from _bounds(facts)
    yield from _visibility(facts)
    yield from _vantages(facts)


def _titled(rows: Sequence[Row]) -> list[Row]:
    """Rows whose row of all countries has a name for its country; without it if it would say the same as the only other."""
    named = [row | {"country": TOTAL} if row["of_all"] else row for row in rows]
    return named[1:] if len(named) == 2 and rows[0]["of_all"] else named


def _own(facts: Facts, rows: Sequence[Row]) -> Row | None:
    """The row that a report is about: of all countries, or of its own."""
    own = [row for row in rows if row["country"] == (facts.country or TOTAL)]
    return own[0] if own else rows[0] if len(rows) == 1 else None


def _rates(row: Row | None) -> Iterator[str]:
    """Services per address that is in use, by two measures of use."""
    if row is None:
        return
    of = {"announced": "that a network announces", "responsive": "that answered on a port that was probed"}
    parts = [
        f"{number(row[f'undoubted_per_{name}'])} per million {words}{_with_decoys(row, name)}"
        for name, words in of.items()
        if row[f"undoubted_per_{name}"] is not None
    ]
    if parts:
        caution = "" if row["undoubted_per_announced"] is None else " An announced address may be unused."
        yield f"Without likely decoys, addresses with a DICOM service are {listed(parts)}.{caution}"


def _with_decoys(row: Row, name: str) -> str:
    every = row[f"per_million_{name}"]
    return f" ({number(every)} with likely decoys)" if every != row[f"undoubted_per_{name}"] else ""


def _concentration(row: Row | None) -> Iterator[str]:
    """How many services are alike, and in how few networks."""
    if row is None or row["largest"] is None or row["undoubted"] is None:
        return
    apart = ""
    if row["without_largest"] is not None and row["effective_networks"] is not None:
        apart = (
            f" They are as concentrated as if {row['effective_networks']:.1f} networks had equally many; without the largest "
            f"network {number(row['without_largest'])} would be left."
        )
    ten = "" if row["ten_largest"] is None else f", the ten commonest of {percent(row['ten_largest_share'])}"
    yield (
        f"Of {plural(row['undoubted'], 'service')} without likely decoys, the commonest configuration is that of "
        f"{percent(row['largest_share'])}{ten}.{apart} One configuration may be a product's default, and need not be one owner."
    )


def _ages(row: Row | None) -> Iterator[str]:
    """How old the declared versions are, and how little that says."""
    if row is None or not row["dated"]:
        return
    older = ""
    if row["older"] is not None:
        interval = f"95 % interval {percent(row['older_share_low'])} to {percent(row['older_share_high'])}"
        older = f", and {number(row['older'])} ({percent(row['older_share'])}, {interval}) are older than five years"
    yield (
        f"Of {plural(row['undoubted'], 'service')} without likely decoys, {number(row['dated'])} declare a version whose release "
        f"date is known: the median age of these versions is {row['median_age']:.1f} years{older}. What is declared is often a "
        "library inside a product, and vendors mend programs without a new version: an old version need not be an unpatched one."
    )


STAYED = {
    "opened": "began to accept unknown clients",
    "closed": "stopped accepting them",
    "renewed": "declare another version now",
    "tls_adopted": "came to complete a TLS handshake",
}


def _stayers(row: Row | None) -> Iterator[str]:
    """What services that stayed did; what is withheld is left out."""
    if row is None or not row["stayed"]:
        return
    parts = [
        f"{number(row[name]) if row[name] else 'none'} {words}"
        for name, words in STAYED.items()
        if row[name] is not None
    ]
    if parts:
        yield (
            f"Of {plural(row['stayed'], 'service')} that the previous sweep saw too, at the same address and port, {listed(parts)}. "
            "Address churn and packet loss are not in these numbers; an address may have changed hands."
        )


def _bounds(facts: Facts) -> Iterator[str]:
    """Between which numbers two databases place the services of a country."""
    rows = [row for row in bounds(facts) if row["country"] and row["least"] is not None][:MOST_NAMED]
    if rows:
        parts = [
            f"{number(row['least'])} to {number(row['most'])} services in {in_sentence(row['country'])}"
            if row["least"] != row["most"]
            else f"{plural(row['most'], 'service')} in {in_sentence(row['country'])}"
            for row in rows
        ]
        yield f"By two geolocation databases there are {listed(parts)}. Which is right is not known; both may be wrong."


def _visibility(facts: Facts) -> Iterator[str]:
    """What each vantage saw of the services that any saw, in a random sample of the addresses; without those that did not probe it."""
    rows = [
        row for row in visibility(facts) if row["country"] == (facts.country or TOTAL) and row["visible"] is not None
    ]
    if rows:
        each = [
            f"{row['vantage_name']} saw {percent(row['visible_share'])} (95 % interval {percent(row['visible_low'])} to "
            f"{percent(row['visible_high'])}) and alone missed {number(row['missed_alone'])}"
            for row in rows
        ]
        yield (
            f"In a random sample of the addresses that each vantage probed, any of them saw {plural(rows[0]['seen_any'], 'service')} "
            f"without likely decoys: {'; '.join(each)}. What is missed may block the vantage, or be lost on the way once."
        )


def _vantages(facts: Facts) -> Iterator[str]:
    """How many services there were at least, by three or more vantages."""
    for row in facts.marts["vantage_bounds"].rows:
        if row["sweep"] == facts.sweep and row["seen_any"]:
            yield (
                f"{plural(row['places'], 'vantage')} that began within an hour saw {plural(row['seen_any'], 'service')}, "
                f"{number(row['seen_once'])} of them from one place alone. By these there were at least {number(row['bound_low'])} "
                "(Chao's lower bound, with 95 % confidence). Services that no vantage can reach are in no number here."
            )
