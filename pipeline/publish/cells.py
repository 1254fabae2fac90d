"""The tables of a report, as its formats share them: their rows, and each cell as text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.enrich import ruleset
from pipeline.outcome import Outcome
from pipeline.publish import estimates
from pipeline.publish.countries import name
from pipeline.publish.data import Facts, Row
from pipeline.publish.estimates import Changed
from pipeline.publish.layout import TABLES, Columns
from pipeline.publish.sentences import FLAGS, found, number

#: How a flag of change is shown: a sign beside a word, so that it needs no colour.
CHANGES = {"up": "▲ up", "down": "▼ down", "turnover": "↕ turnover"}
EXPLANATIONS = {member.value: member.explanation for member in Outcome}
#: What a sample says of the whole target space.
ESTIMATES = frozenset(
    {"addresses_estimated", "addresses_low", "addresses_high", "services_estimated", "targets_estimated"}
)
ECHO = frozenset({"echoed"})
MOVED = frozenset({"came", "went", "change"})
SHARES = frozenset({"share", "open_share", "stays", "stays_low", "stays_high"})


def _doubts() -> dict[str, str]:
    """Suspicion → what it means, by the rules of today."""
    return {rule.id: rule.meaning for rule in ruleset.load().suspicions}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what to show, what to sort by, whether it is a number, and a sentence to go with it."""

    text: str
    key: Any
    numeric: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report."""

    mart: str
    title: str
    question: str
    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(facts: Facts) -> list[Table]:
    """All tables of the report that have something to tell, in their order."""
    shown = [name for name in TABLES if name not in OF_SERIES or rows(facts, name)]
    return [_table(facts, mart, *TABLES[mart]) for mart in shown]


def rows(facts: Facts, mart: str) -> Sequence[Row]:
    """A table's rows: those of its mart, joined with what was concluded from them."""
    return DERIVED[mart](facts) if mart in DERIVED else facts.marts[mart].rows


def _table(facts: Facts, mart: str, title: str, columns: Columns) -> Table:
    lines = rows(facts, mart)
    kept = [pair for pair in columns if pair[0] not in _unasked(facts)]
    cells = tuple(tuple(cell(column, row[column]) for column, _ in kept) for row in lines)
    numeric = [all(line[place].numeric for line in cells if line[place].text != "–") for place in range(len(kept))]
    headings = tuple(Cell(text, text, flag) for (_, text), flag in zip(kept, numeric, strict=True))
    question = facts.marts[mart].question if mart in facts.marts else QUESTIONS[mart]
    return Table(mart, title, question, headings, cells)


def _countries(facts: Facts) -> list[Row]:
    """The countries with services, what these stand for, and how they changed."""
    lines = found(facts)
    changed = {row.country: row for row in facts.changes[1:]}
    told = facts.estimates([row["services"] for row in lines])
    return [
        row
        | {"there": estimate.value, "there_low": estimate.low, "there_high": estimate.high}
        | _moved(changed.get(row["country"]))
        for row, estimate in zip(lines, told, strict=True)
    ]


def _moved(changed: Changed | None) -> Row:
    if changed is None:
        return {"came": None, "went": None, "change": None}
    return {"came": changed.came, "went": changed.went, "change": changed.flag or "none"}


def _vantages(facts: Facts) -> list[Row]:
    told = [estimates.there(row) for row in facts.marts["vantages"].rows]
    ends = [{"there": t.value, "there_low": t.low, "there_high": t.high} for t in told]
    return [row | end for row, end in zip(facts.marts["vantages"].rows, ends, strict=True)]


def _databases(facts: Facts) -> list[Row]:
    """The countries that either database gives a service; none if no second one was asked."""
    return [row for row in facts.marts["country_databases"].rows if row["services_second"] is not None
            and (row["services"] or row["services_second"])]  # fmt: skip


def _kinds(facts: Facts) -> list[Row]:
    """The kinds of network with a service; the others' denominators are in the download."""
    return [row for row in facts.marts["network_kinds"].rows if row["services"]]


def _networks(facts: Facts) -> Sequence[Row]:
    """The networks that are named, with what is left of their countries; nothing where none is."""
    lines = facts.marts["networks"].rows
    told = {row["country"] for row in lines if row["asn"]}
    return [row for row in lines if row["country"] in told]


def _survival(facts: Facts) -> list[Row]:
    return [
        {"sweep": step.sweep, "days": step.days}
        | {"stays": step.stays.value, "stays_low": step.stays.low, "stays_high": step.stays.high}
        for step in facts.survival
    ]


#: Tables that are more than their mart.
DERIVED: dict[str, Callable[[Facts], Sequence[Row]]] = {
    "countries": _countries,
    "country_databases": _databases,
    "network_kinds": _kinds,
    "networks": _networks,
    "vantages": _vantages,
    "survival": _survival,
}
#: Tables that only a series, or a second vantage, can fill.
OF_SERIES = frozenset(
    {
        "changes",
        "vantages",
        "survival",
        "tls_share",
        "sectors",
        "network_kinds",
        "networks",
        "system_counts",
        "country_databases",
    }
)
QUESTIONS = {"survival": "Which share of the exposed services is still there at the next sweep, loss taken out?"}


def _unasked(facts: Facts) -> frozenset[str]:
    """Columns that mean nothing in this sweep: estimates without sampling, echoes without a C-ECHO."""
    return (
        (frozenset() if facts.sampled else ESTIMATES)
        | (ECHO if facts.totals["echoed"] is None else frozenset())
        | (frozenset() if facts.compared else MOVED)
        | (frozenset() if facts.seen else frozenset({"there", "there_low", "there_high"}))
    )


def cell(column: str, value: Any) -> Cell:
    """A value of a mart as a cell."""
    match column, value:
        case "country", _:
            return Cell(name(value), name(value))
        case "port" | "rj_result" | "rj_source" | "rj_reason", int():
            return Cell(str(value), value, numeric=True)
        case "there" | "there_low" | "there_high", float():
            return Cell(number(round(value)), value, numeric=True)
        case "days", int() | float():
            return Cell(f"{value:,.1f}".removesuffix(".0"), value, numeric=True)
        case "change", str():
            return Cell(CHANGES.get(value, value), value, hint=FLAGS.get(value, ""))
        case _, float() if column in SHARES:
            return Cell(f"{100 * value:.1f} %", value, numeric=True)
        case _, bool():
            return Cell("yes" if value else "no", value)
        case "suspicion", str():
            return Cell(value, value, hint=_doubts().get(value, ""))
        case "outcome", str():
            return Cell(value, value, hint=EXPLANATIONS.get(value, ""))
        case _, int() | float():
            return Cell(number(value), value, numeric=True)
        case _, None:
            return Cell("–", "")
        case _:
            return Cell(str(value), str(value))
