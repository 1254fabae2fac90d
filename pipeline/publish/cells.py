"""The tables of a report, as its formats share them: their rows, and each cell as text."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from pipeline.enrich import ruleset
from pipeline.outcome import Outcome
from pipeline.publish import companion_findings, estimates, other_studies, structure, system_sentences
from pipeline.publish.change_sentences import FLAGS
from pipeline.publish.countries import countries, name
from pipeline.publish.data import Facts, Row
from pipeline.publish.estimates import CountryChange, Estimate
from pipeline.publish.headings import REMARKS, TABLES
from pipeline.publish.undoubted import undoubted
from pipeline.publish.wording import number

#: The marts of the table of countries, of the funnel and of the headline: what is read where no other table is shown.
BRIEF = ("totals", "funnel", "countries", "rates", "loss", "vantages", "country_loss")
#: How a flag of change is shown: a sign and a word, so that it needs no colour.
CHANGES = {"up": "▲ up", "down": "▼ down", "few": "too few to judge", "none": "not shown"}
EXPLANATIONS = {member.value: member.explanation for member in Outcome}
#: Columns in which a sampled sweep estimates the whole target space.
ESTIMATES = frozenset({"addresses_estimated", "services_estimated", "targets_estimated"})
ECHO = frozenset({"echoed"})
ANNOUNCED = frozenset({"announced", "undoubted_per_announced", "per_million_announced"})
CHANGE = frozenset({"came", "went", "change"})
ENDS = frozenset({"missed_links", "false_links", "ended_low", "ended_high"})
REACHABLE = frozenset({"there", "there_low", "there_high"})
#: Shares of systems, and of the links between them.
EXISTING = ("exists_share", "exists", "link_recall", "link_precision")
SHARES = frozenset(
    {
        f"{share}{end}"
        for share in (
            "share",
            "web_share",
            "hl7_share",
            "open_share",
            "stays",
            "largest_share",
            "ten_largest_share",
            "back_share",
            "visible_share",
            "visible_low",
            "visible_high",
            "older_share",
            *EXISTING,
        )
        for end in ("", "_low", "_high", "_least", "_most")
    }
)


#: What a service declares, and what stands for a service that declares nothing.
DECLARATIONS = frozenset(
    {
        "toolkit", "toolkit_version", "product", "product_version", "class_uid_root",
        "implementation_version_name", "implementation_class_uid",
    }
)  # fmt: skip
UNDECLARED = "(declared nothing)"


@cache
def _suspicion_meanings() -> dict[str, str]:
    """Suspicion → what it means, by the rules of today."""
    return {rule.id: rule.meaning for rule in ruleset.load().suspicions}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what to show, what to sort by, whether it is a number, and a sentence that explains it.

    It is foreign if a peer or a database may have written the text.
    """

    text: str
    key: Any
    numeric: bool = False
    hint: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class ReportTable:
    """One table of the report."""

    mart: str
    title: str
    question: str
    headings: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(facts: Facts, marts: Iterable[str] = TABLES) -> list[ReportTable]:
    """Those tables of the report, by default all, that have a row, in their order."""
    return [drawn for drawn in (table(facts, mart) for mart in marts) if drawn.rows]


def rows(facts: Facts, mart: str) -> Sequence[Row]:
    """A table's rows: those of its mart, with what was estimated from them."""
    return DERIVED[mart](facts) if mart in DERIVED else facts.marts[mart].rows


def table(facts: Facts, mart: str) -> ReportTable:
    """A table of the report, with or without a row."""
    title, columns = TABLES[mart]
    lines = rows(facts, mart)
    kept = [pair for pair in columns if pair[0] not in _meaningless(facts)]
    cells = tuple(tuple(cell(column, row[column]) for column, _ in kept) for row in lines)
    remark = [REMARKS[mart]] if mart in REMARKS else []
    numeric = [_is_numeric([line[index] for line in cells]) for index in range(len(kept))]
    headings = tuple(Cell(text, text, flag) for (_, text), flag in zip(kept, numeric, strict=True))
    question = " ".join([facts.marts[mart].question if mart in facts.marts else QUESTIONS[mart], *remark])
    return ReportTable(mart, title, question, headings, cells)


def _is_numeric(column: Sequence[Cell]) -> bool:
    """Whether a column has numbers, and nothing else but dashes."""
    return any(cell.numeric for cell in column) and all(cell.numeric or cell.text == "–" for cell in column)


def _countries(facts: Facts) -> list[Row]:
    """The countries with services, how many services are reachable there, and how that changed."""
    changes = {change.country: change for change in facts.changes}
    ranks = {row["country"]: row["rank"] for row in facts.ranked}
    return [
        row
        | {"undoubted": undoubted(row), "rank": ranks.get(row["country"])}
        | reachable(estimate)
        | _change(changes.get(row["country"]))
        for row, estimate in zip(facts.with_services, facts.by_country, strict=True)
    ]


def reachable(estimate: Estimate) -> Row:
    """An estimate of the services that were reachable, as columns."""
    return {"there": estimate.value, "there_low": estimate.low, "there_high": estimate.high}


def _companion_kinds(facts: Facts) -> list[Row]:
    """All countries together, then each."""
    return companion_findings.with_total(facts.marts["companion_kinds"].rows)


def _change(change: CountryChange | None) -> Row:
    if change is None:
        return dict.fromkeys(("came", "went", "change"))
    return {"came": change.came, "went": change.went, "change": change.flag or "none"}


def _vantages(facts: Facts) -> list[Row]:
    pairs = [(row, estimates.population(row)) for row in facts.marts["vantages"].rows]
    return [row | reachable(estimate) for row, estimate in pairs]


def _databases(facts: Facts) -> list[Row]:
    """The countries in which either database places a service; none if no second one was used."""
    rows = facts.marts["country_databases"].rows
    return [r for r in rows if r["services_second"] is not None and (r["services"] or r["services_second"])]


def _kinds(facts: Facts) -> list[Row]:
    """The kinds of network with a service, if any network is known; the denominators of the others are in the download."""
    return [row for row in facts.marts["network_kinds"].rows if row["services"]] if facts.knows_networks else []


def _sectors(facts: Facts) -> Sequence[Row]:
    """The sectors; empty if the sweep had no network database, so that all owners are unknown."""
    return facts.marts["sectors"].rows if facts.knows_networks else []


def _doubts(facts: Facts) -> Sequence[Row]:
    """The doubts of each country; empty without any."""
    lines = facts.marts["doubts"].rows
    return lines if any(row[column] for row in lines for column in ("honeypot", "answers_everything", "odd")) else []


def _declared(facts: Facts, mart: str) -> list[Row]:
    """What was declared; the row of services that declared nothing says so in its first column."""
    columns = [column for column, _ in TABLES[mart][1] if column in DECLARATIONS]
    return [
        row | ({columns[0]: UNDECLARED} if all(row[column] is None for column in columns) else {})
        for row in facts.marts[mart].rows
    ]


def _networks(facts: Facts) -> Sequence[Row]:
    """The networks that are named, and the rest of their countries; empty if none is named."""
    lines = facts.marts["networks"].rows
    with_named = {row["country"] for row in lines if row["asn"]}
    return [row for row in lines if row["country"] in with_named]


def _encryption(facts: Facts) -> Sequence[Row]:
    """The countries' shares of TLS; empty if the sweep attempted no handshake, so that a share of 0 would mean nothing."""
    lines = facts.marts["tls_share"].rows
    return lines if any(row["handshakes"] for row in lines) else []


def _changes(facts: Facts) -> Sequence[Row]:
    """What changed since the previous sweep; empty where the report compares with an earlier one."""
    before = facts.series[-2]["sweep"] if len(facts.series) > 1 else None
    return facts.marts["changes"].rows if facts.comparison and facts.comparison.sweep == before else []


def _survival(facts: Facts) -> list[Row]:
    return [
        {"sweep": step.sweep, "days": step.days}
        | {"stays": step.stays.value, "stays_low": step.stays.low, "stays_high": step.stays.high}
        for step in facts.survival
    ]


#: Tables that are more than their mart.
DERIVED: dict[str, Callable[[Facts], Sequence[Row]]] = {
    "as_published": other_studies.rows,
    "changes": _changes,
    "concentration": structure.concentration,
    "country_bounds": structure.bounds,
    "rates": structure.rates,
    "software_ages": structure.software_ages,
    "stayers": structure.stayers,
    "visibility": structure.visibility,
    "companion_kinds": _companion_kinds,
    "countries": _countries,
    "doubts": _doubts,
    "implementations": partial(_declared, mart="implementations"),
    "products": partial(_declared, mart="products"),
    "sectors": _sectors,
    "country_databases": _databases,
    "network_kinds": _kinds,
    "networks": _networks,
    "system_changes": system_sentences.changes,
    "tls_share": _encryption,
    "vantages": _vantages,
    "survival": _survival,
}
QUESTIONS = {"survival": "What share of the exposed services persists until the next sweep, corrected for packet loss?"}


def _meaningless(facts: Facts) -> frozenset[str]:
    """Columns that mean nothing for this sweep: estimates without a sample, echoes without a C-ECHO, announcements if unknown."""
    return (
        (frozenset() if facts.sampled else ESTIMATES)
        | (frozenset() if facts.sends_echo else ECHO)
        | (frozenset() if any(row["announced"] is not None for row in facts.marts["rates"].rows) else ANNOUNCED)
        | (frozenset() if facts.comparison else CHANGE)
        | (frozenset() if facts.detection or facts.sampled else REACHABLE)
    )


def cell(column: str, value: Any) -> Cell:
    """A value of a mart as a cell."""
    match column, value:
        case "country", _:
            return Cell(name(value), name(value), foreign=value is not None and value not in countries())
        case "rank", int():
            return Cell(str(value), value, numeric=True)
        case "port", int():
            # A port names its row: it is no quantity, and is sorted as text.
            return Cell(str(value), f"{value:05}")
        case "rj_result" | "rj_source" | "rj_reason", int():
            return Cell(str(value), value, numeric=True)
        case _, float() if column in REACHABLE | ENDS:
            return Cell(number(round(value)), value, numeric=True)
        case "days", int() | float():
            return Cell(f"{value:,.1f}".removesuffix(".0"), value, numeric=True)
        case "change", str():
            return Cell(CHANGES.get(value, value), value, hint=FLAGS.get(value, ""))
        case _, float() if column in SHARES:
            return Cell(f"{100 * value:.1f} %", value, numeric=True)
        case _, bool():
            return Cell("yes" if value else "no", value)
        case "toolkit" | "implementation_version_name", str() if value == UNDECLARED:
            return Cell(value, value, hint="As rejections and aborts do.")
        case "suspicion", str():
            return Cell(value, value, foreign=True, hint=_suspicion_meanings().get(value, ""))
        case "outcome", str():
            return Cell(value, value, foreign=True, hint=EXPLANATIONS.get(value, ""))
        case _, int() | float():
            return Cell(number(value), value, numeric=True)
        case _, None:
            return Cell("–", "")
        case _:
            return Cell(str(value), str(value), foreign=True)
