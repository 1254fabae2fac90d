"""What a report says of systems over time: which stayed, moved or ended, how often the rule errs, and how many still exist."""

import math
from collections.abc import Iterator, Sequence

from pipeline.publish.data import Facts, Row
from pipeline.publish.wording import listed, number, percent
from pipeline.words.plural import plural


def changes(facts: Facts) -> Sequence[Row]:
    """The sweeps of the series with what became of systems."""
    return [row for row in facts.marts["system_changes"].rows if row["systems"]]


def sentences(facts: Facts) -> Iterator[str]:
    """What became of systems up to the report's sweep."""
    own = [row for row in changes(facts) if row["sweep"] == facts.sweep]
    errors = [row for row in facts.marts["link_errors"].rows if row["sweep"] == facts.sweep]
    for row in own:
        yield _moved(row)
        if row["systems_before"]:
            yield f"{_ended(row)} {_errors(errors)}"
    yield from _survival(facts)


def _moved(row: Row) -> str:
    """Where the systems of this sweep were in the one or two before."""
    parts = [
        f"{_count(row['systems_stayed'])} stayed at their address",
        f"{_count(row['systems_moved_key'])} had moved by their certificate key",
        f"{_count(row['systems_moved_identity'])} had moved by identity and behaviour",
        f"{_count(row['systems_new'])} are not recognised from before",
    ]
    return f"Of {plural(row['systems'], 'system')} without likely decoys, one for each address, {listed(parts)}."


def _ended(row: Row) -> str:
    """How many systems ended, between which bounds."""
    bounds = f"between {number(math.floor(row['ended_low']))} and {number(math.ceil(row['ended_high']))}"
    return (
        f"Of {plural(row['systems_before'], 'system')} of two sweeps ago, {_count(row['systems_ended'])} were recognised at "
        f"no address since; with what the rule misses and confuses, {bounds} ended."
    )


def _count(value: int) -> str:
    return number(value) if value else "none"


def _errors(rows: Sequence[Row]) -> str:
    """How often the rule of identity errs."""
    row = next(iter(rows), None)
    if row is None or row["link_recall"] is None or row["link_precision"] is None:
        return "How often the rule errs is not known: too few systems with a certificate key moved."
    return (
        f"Judged by certificate keys, the rule of identity and behaviour recognises {percent(row['link_recall'])} of moves "
        f"(95 % interval {percent(row['link_recall_low'])} to {percent(row['link_recall_high'])}), and "
        f"{percent(row['link_precision'])} of its links are right ({percent(row['link_precision_low'])} to "
        f"{percent(row['link_precision_high'])})."
    )


def _survival(facts: Facts) -> Iterator[str]:
    """Which share of the systems of the first sweep still exists, as far as the series tells."""
    rows = [row for row in facts.marts["system_survival"].rows if row["systems_first"]]
    if not rows:
        return
    last = rows[-1]
    days = {row["sweep"]: row["started_at"] for row in facts.series}
    yield (
        f"Of {plural(last['systems_first'], 'system')} seen on {facts.series[0]['started_at']:%Y-%m-%d}, an estimated "
        f"{percent(last['exists_share'])} still existed on {days[last['sweep']]:%Y-%m-%d}, at that or another address (95 % interval "
        f"{percent(last['exists_low'])} to {percent(last['exists_high'])}; {percent(last['exists_least'])} to "
        f"{percent(last['exists_most'])} with what the rule misses and confuses). Nothing is said of later dates."
    )
