"""The tables of a report, as its formats share them: which columns, under which headings, and each cell as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.enrich import ruleset
from pipeline.outcome import Outcome
from pipeline.publish.countries import name
from pipeline.publish.facts import Facts, Row
from pipeline.publish.words import found, number

Columns = tuple[tuple[str, str], ...]

#: Mart → title and (column, heading) pairs.
TABLES: dict[str, tuple[str, Columns]] = {
    "countries": (
        "Countries",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("addresses", "Addresses"),
            ("accepting", "Accept"),
            ("echoed", "Echo"),
            ("rejected", "Reject"),
            ("addresses_probed", "Addresses probed"),
            ("per_million", "Per million"),
            ("addresses_estimated", "Estimated"),
            ("addresses_low", "95 % from"),
            ("addresses_high", "to"),
        ),
    ),
    "outcomes": (
        "Outcomes",
        (
            ("outcome", "Outcome"),
            ("targets", "Targets"),
            ("share", "Share of answers"),
            ("targets_estimated", "Estimated"),
        ),
    ),
    "implementations": (
        "Toolkits and products, by what they declare",
        (
            ("toolkit", "Toolkit"),
            ("toolkit_version", "Version"),
            ("product", "Product"),
            ("product_version", "Version"),
            ("kind", "Kind"),
            ("grade", "Grade"),
            ("evidenced", "Evidenced"),
            ("class_uid_root", "Root, if unknown"),
            ("class_uid_hash", "Hash"),
            ("services", "Services"),
            ("mismatched", "Behave otherwise"),
            ("suspected", "Suspected"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "products": (
        "Products, as they describe themselves",
        (
            ("implementation_version_name", "Version name"),
            ("implementation_class_uid", "Class UID"),
            ("services", "Services"),
            ("countries", "Countries"),
            ("accepting", "Accept"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "suspicions": (
        "Suspicions",
        (
            ("suspicion", "Suspicion"),
            ("country", "Country"),
            ("services", "Services"),
            ("addresses", "Addresses"),
            ("exposed", "Of them exposed"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "rejections": (
        "Rejections",
        (
            ("meaning", "Reason"),
            ("rj_result", "Result"),
            ("rj_source", "Source"),
            ("rj_reason", "Reason code"),
            ("services", "Services"),
            ("services_estimated", "Estimated"),
        ),
    ),
}

EXPLANATIONS = {member.value: member.explanation for member in Outcome}
#: What a sample says of the whole target space.
ESTIMATES = frozenset(
    {"addresses_estimated", "addresses_low", "addresses_high", "services_estimated", "targets_estimated"}
)
ECHO = frozenset({"echoed"})


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
    """All tables of the report, in their order."""
    return [_table(facts, mart, title, columns) for mart, (title, columns) in TABLES.items()]


def _table(facts: Facts, mart: str, title: str, columns: Columns) -> Table:
    rows: Sequence[Row] = found(facts) if mart == "countries" else facts.marts[mart].rows
    kept = [pair for pair in columns if pair[0] not in _unasked(facts)]
    cells = tuple(tuple(cell(column, row[column]) for column, _ in kept) for row in rows)
    numeric = [all(line[place].numeric for line in cells) for place in range(len(kept))]
    headings = tuple(Cell(text, text, flag) for (_, text), flag in zip(kept, numeric, strict=True))
    return Table(mart, title, facts.marts[mart].question, headings, cells)


def _unasked(facts: Facts) -> frozenset[str]:
    """Columns that mean nothing in this sweep: estimates without sampling, echoes without a C-ECHO."""
    return (frozenset() if facts.sampled else ESTIMATES) | (frozenset() if facts.about["profile"] == "echo" else ECHO)


def cell(column: str, value: Any) -> Cell:
    """A value of a mart as a cell."""
    match column, value:
        case "country", _:
            return Cell(name(value), name(value))
        case "share", float():
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
