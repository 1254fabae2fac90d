"""The tables of a report, as its formats share them: which columns, under which headings, and each cell as text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.enrich import ruleset
from pipeline.outcome import Outcome
from pipeline.publish import conclusions
from pipeline.publish.conclusions import Changed
from pipeline.publish.countries import name
from pipeline.publish.facts import Facts, Row
from pipeline.publish.words import FLAGS, found, number

Columns = tuple[tuple[str, str], ...]

#: Mart → title and (column, heading) pairs.
TABLES: dict[str, tuple[str, Columns]] = {
    "countries": (
        "Countries",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("change", "Change"),
            ("came", "Came"),
            ("went", "Went"),
            ("addresses", "Addresses"),
            ("accepting", "Accept"),
            ("echoed", "Echo"),
            ("rejected", "Reject"),
            ("addresses_probed", "Addresses probed"),
            ("per_million", "Per million"),
            ("addresses_estimated", "Estimated"),
            ("addresses_low", "95\u00a0% from"),
            ("addresses_high", "to"),
            ("there", "Services there, estimated"),
            ("there_low", "95\u00a0% from"),
            ("there_high", "to"),
        ),
    ),
    "changes": (
        "Since the sweep before",
        (
            ("country", "Country"),
            ("stayed", "Stayed"),
            ("new", "New"),
            ("returned", "Returned"),
            ("missing", "Missing"),
            ("gone", "Gone"),
            ("entered", "Entered the space"),
            ("left_space", "Left it"),
        ),
    ),
    "sectors": (
        "Owners by sector",
        (
            ("country", "Country"),
            ("sector", "Sector"),
            ("confidence", "Confidence"),
            ("services", "Services"),
            ("addresses", "Addresses"),
            ("networks", "Networks"),
            ("accepting", "Accept"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "network_kinds": (
        "Networks by kind",
        (
            ("country", "Country"),
            ("network_kind", "Kind of network"),
            ("confidence", "Confidence"),
            ("services", "Services"),
            ("addresses", "Addresses"),
            ("networks", "Networks"),
            ("accepting", "Accept"),
            ("networks_probed", "Networks probed"),
            ("addresses_probed", "Addresses probed"),
            ("per_million", "Per million"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "ports": (
        "Ports",
        (
            ("country", "Country"),
            ("port", "Port"),
            ("responsive", "Answered our SYN"),
            ("services", "Services"),
            ("accepting", "Accept"),
            ("services_estimated", "Estimated"),
        ),
    ),
    "ae_control": (
        "Who is let in",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("anyone", "Anyone"),
            ("open_share", "Share"),
            ("rejected_called", "Rejected: called title"),
            ("rejected_calling", "Rejected: calling title"),
            ("rejected_otherwise", "Rejected otherwise"),
            ("aborted", "Aborted"),
        ),
    ),
    "tls_share": (
        "Encryption",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("over_tls", "Over TLS"),
            ("share", "Share"),
            ("handshakes", "Asked by TLS"),
            ("completed", "Completed"),
            ("needs_certificate", "Demand a certificate"),
        ),
    ),
    "system_counts": (
        "Systems beside addresses",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("addresses", "Addresses"),
            ("certain", "Systems, certain"),
            ("probable", "Probable"),
            ("possible", "Possible"),
        ),
    ),
    "doubts": (
        "Honeypots and networks that answer everything",
        (
            ("country", "Country"),
            ("services", "Services"),
            ("honeypot", "As a honeypot"),
            ("answers_everything", "Network answers everything"),
            ("odd", "Odd otherwise"),
            ("unsuspected", "Unsuspected"),
        ),
    ),
    "country_databases": (
        "By two databases of places",
        (
            ("country", "Country"),
            ("services", "Services by the first"),
            ("services_second", "By the second"),
            ("both", "By both"),
            ("addresses_probed", "Addresses probed by the first"),
            ("addresses_probed_second", "By the second"),
        ),
    ),
    "vantages": (
        "Two vantages",
        (
            ("sweep", "Sweep"),
            ("days", "Days apart"),
            ("port", "Port"),
            ("seen_here", "Seen by one"),
            ("seen_there", "By the other"),
            ("seen_by_both", "By both"),
            ("there", "There, estimated"),
            ("there_low", "95\u00a0% from"),
            ("there_high", "to"),
        ),
    ),
    "survival": (
        "Survival of an exposure",
        (
            ("sweep", "Up to sweep"),
            ("days", "Days"),
            ("stays", "Stayed"),
            ("stays_low", "95\u00a0% from"),
            ("stays_high", "to"),
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
    told = [conclusions.there(row) for row in facts.marts["vantages"].rows]
    ends = [{"there": t.value, "there_low": t.low, "there_high": t.high} for t in told]
    return [row | end for row, end in zip(facts.marts["vantages"].rows, ends, strict=True)]


def _databases(facts: Facts) -> list[Row]:
    """The countries that either database gives a service; none if no second one was asked."""
    return [row for row in facts.marts["country_databases"].rows if row["services_second"] is not None
            and (row["services"] or row["services_second"])]  # fmt: skip


def _kinds(facts: Facts) -> list[Row]:
    """The kinds of network with a service; the others' denominators are in the download."""
    return [row for row in facts.marts["network_kinds"].rows if row["services"]]


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
    "vantages": _vantages,
    "survival": _survival,
}
#: Tables that only a series, or a second vantage, can fill.
OF_SERIES = frozenset(
    {"changes", "vantages", "survival", "tls_share", "sectors", "network_kinds", "system_counts", "country_databases"}
)
QUESTIONS = {"survival": "Which share of the exposed services is still there at the next sweep, loss taken out?"}


def _unasked(facts: Facts) -> frozenset[str]:
    """Columns that mean nothing in this sweep: estimates without sampling, echoes without a C-ECHO."""
    return (
        (frozenset() if facts.sampled else ESTIMATES)
        | (frozenset() if facts.about["profile"] == "echo" else ECHO)
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
