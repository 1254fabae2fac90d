"""The tables of a bundle: what a report publishes of each sweep, stacked, with types and meanings; as Parquet and as CSV."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.publish import sheets
from pipeline.publish.countries import countries
from pipeline.publish.data import Facts, Row
from pipeline.publish.disclosure_rules import RULES
from pipeline.publish.escape import csv_cell
from pipeline.publish.gather import select
from pipeline.release.microdata import Microdata
from pipeline.views import views

#: A type of Frictionless → that of Arrow.
ARROW = MappingProxyType(
    {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "datetime": pa.timestamp("us", tz="UTC"),
    }
)
INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
#: Columns that a report estimates from a mart, or that only the bundle has: type, meaning and unit.
OWN = MappingProxyType(
    {
        "sweep": ("string", "Id of the sweep.", ""),
        "there": ("number", "Estimate of all services that were reachable, seen or not.", ""),
        "there_low": ("number", "Lower end of the 95 % interval of there.", ""),
        "there_high": ("number", "Upper end of the 95 % interval of there.", ""),
        "rank": ("integer", "Place of the country by services besides likely decoys; of equal ones each has the better place.", ""),
        "undoubted": ("integer", "Services besides likely decoys; null where too few are decoys, or none, to be shown apart.", ""),
        "came": ("integer", "Services seen now and not in the sweep compared with, whose address was in its target space.", ""),
        "went": ("integer", "Services seen in the sweep compared with and not now, whose address is in the target space.", ""),
        "change": ("string", "What of the change can be shown: up, down, few (too few to judge) or none.", ""),
        "flag": ("string", "up or down where p_adjusted is below 0.05; few where so few changed that nothing could be shown.", ""),
        "moved_out": ("integer", "Services that an earlier build of the country database placed here.", ""),
        "networks_changed": ("integer", "Networks in which services came or went.", ""),
        "in_one_network": ("integer", "The most services that came or went in one network.", ""),
        "new_by_loss": ("number", "Services that loss alone would make look new.", ""),
        "gone_by_loss": ("number", "Services that loss alone would make look gone.", ""),
        "new_net": ("number", "New services beyond what loss explains.", ""),
        "new_low": ("number", "Lower end of the 95 % interval of new_net.", ""),
        "new_high": ("number", "Upper end of the 95 % interval of new_net.", ""),
        "gone_net": ("number", "Gone services beyond what loss explains.", ""),
        "gone_low": ("number", "Lower end of the 95 % interval of gone_net.", ""),
        "gone_high": ("number", "Upper end of the 95 % interval of gone_net.", ""),
        "turnover": ("number", "Share of the services of either sweep that were there in one alone, loss taken out.", ""),
        "turnover_low": ("number", "Lower end of the 95 % interval of turnover.", ""),
        "turnover_high": ("number", "Upper end of the 95 % interval of turnover.", ""),
        "p_growth": ("number", "Probability of so uneven a change if as many came as went (McNemar's exact test).", ""),
        "p_adjusted": ("number", "p_growth, corrected for all countries that were compared (Holm).", ""),
        "stays": ("number", "Share of services that persist from one sweep to the next, loss taken out (Jolly and Seber).", ""),
        "stays_low": ("number", "Lower end of the 95 % interval of stays.", ""),
        "stays_high": ("number", "Upper end of the 95 % interval of stays.", ""),
        "answer": ("string", "accepted, rejected or aborted.", ""),
        "decoy": ("boolean", "It behaves like a known honeypot, or its /24 answers everything.", ""),
        "sector_confidence": ("string", "How well the field that named the owner identifies it: strong, medium or weak.", ""),
        "country_only": ("boolean", "Of this service only the country may be shown (docs/release.md).", ""),
        "ports": ("string", "The ports that were probed, with blanks between them.", ""),
        "vantages": ("integer", "Number of places that the sweep probed from.", ""),
        "profile": ("string", "What a host that answered got.", ""),
        "probes_sent": ("integer", "SYNs sent.", ""),
        "responses": ("integer", "Targets that answered.", ""),
        "associations": ("integer", "Targets that took our request.", ""),
        "sampled_addresses": ("integer", "Addresses that were visited.", ""),
        "finished_at": ("datetime", "When the last range ended.", ""),
        "plan_digest": ("string", "SHA-256 of the frozen plan.", ""),
        "code_version": ("string", "Release and digest of the program that sealed the sweep.", ""),
        "testbed": ("boolean", "All hosts were simulated, in a closed testbed.", ""),
        "compared_with": ("string", "Id of the sweep that changes are counted since.", ""),
        "alpha2": ("string", "ISO 3166-1 alpha-2 code.", ""),
        "latitude": ("number", "Latitude of a point in the country.", "degree"),
        "longitude": ("number", "Longitude of a point in the country.", "degree"),
        "numeric": ("integer", "ISO 3166-1 numeric code.", ""),
    }
)  # fmt: skip
#: Types of columns that tables which are no mart share with marts.
SHARED = {
    "country": "VARCHAR", "stayed": "BIGINT", "entered": "BIGINT", "left_space": "BIGINT", "moved_in": "BIGINT",
    "name": "VARCHAR", "started_at": "TIMESTAMP WITH TIME ZONE", "addresses": "UBIGINT", "sampled_share": "DOUBLE",
}  # fmt: skip
#: What the bundle tells of each sweep.
ABOUT = (
    "name", "started_at", "finished_at", "profile", "ports", "vantages", "addresses", "sampled_addresses", "sampled_share",
    "probes_sent", "responses", "associations", "plan_digest", "code_version", "testbed",
)  # fmt: skip
MICRODATA = "microdata"


@dataclass(frozen=True, slots=True)
class Described:
    """A column: its name, its type by Frictionless, what it means, and its unit."""

    name: str
    type: str
    meaning: str
    unit: str = ""

    @property
    def arrow(self) -> pa.Field:
        """The column of a Parquet file, with its meaning."""
        metadata = {"description": self.meaning} | ({"unit": self.unit} if self.unit else {})
        return pa.field(self.name, ARROW[self.type], metadata=metadata)


@dataclass(frozen=True, slots=True)
class Content:
    """A table of the bundle: the question that it answers, its columns, and its rows."""

    name: str
    question: str
    columns: tuple[Described, ...]
    rows: Sequence[Row]

    @property
    def arrow(self) -> pa.Table:
        """The table as Arrow has it, with its question in the metadata."""
        schema = pa.schema([column.arrow for column in self.columns], metadata={"question": self.question})
        return pa.Table.from_pylist(
            [{c.name: _value(row[c.name], c.type) for c in self.columns} for row in self.rows], schema=schema
        )

    @property
    def csv(self) -> str:
        """The table as CSV: UTF-8, ISO 8601 times, numbers to ten digits; what a spreadsheet would run is made text."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows([_cell(_value(row[c.name], c.type)) for c in self.columns] for row in self.rows)
        return stream.getvalue()


def contents(con: duckdb.DuckDBPyConnection, published: Sequence[Facts], rows: Sequence[Microdata]) -> list[Content]:
    """All tables of a bundle about these sweeps, oldest first."""
    tables = {"sweeps": _about(published)} | {content.name: content for content in _marts(con, published)}
    tables["country_names"] = _names()
    if rows:
        tables[MICRODATA] = _microdata(rows)
    return list(tables.values())


def _marts(con: duckdb.DuckDBPyConnection, published: Sequence[Facts]) -> Iterator[Content]:
    """The tables of the reports, each with the rows of all sweeps; marts that are about a series are the latest sweep's."""
    made = [(facts, {sheet.name: sheet for sheet in sheets.sheets(facts)}) for facts in published]
    latest = made[-1][1]
    for name, sheet in latest.items():
        of_series = "sweep" in sheet.columns
        columns = list(dict.fromkeys(column for _, each in made for column in each[name].columns))
        blank = dict.fromkeys(columns)
        rows = [
            blank | ({} if of_series else {"sweep": facts.sweep}) | dict(row)
            for facts, each in (made[-1:] if of_series else made)
            for row in each[name].rows
        ]
        named = columns if of_series else ["sweep", *columns]
        types = _types(con, name) or SHARED
        question = facts_question(published[-1], name)
        yield Content(name, question, tuple(describe(name, column, types) for column in named), rows)


def facts_question(facts: Facts, name: str) -> str:
    """The question that a table answers."""
    own = {
        "survival": "What share of the exposed services persists until the next sweep, corrected for packet loss?",
        "changed": "What changed since the sweep compared with, beyond what packet loss explains?",
    }
    return facts.marts[name].question if name in facts.marts else own[name]


def describe(mart: str, column: str, types: dict[str, str]) -> Described:
    """A column of a table: a kind that may be merged with others is text."""
    if column in OWN and column not in types:
        return Described(column, *OWN[column])
    meaning = views.meaning(column) or OWN.get(column, ("", "", ""))[1]
    merged = mart in RULES and column in RULES[mart].kinds and not RULES[mart].in_edition
    text = merged or column == "asn"
    return Described(column, "string" if text else _type(types.get(column, "")), meaning)


def _types(con: duckdb.DuckDBPyConnection, mart: str) -> dict[str, str]:
    """The columns of a mart and their types in SQL."""
    sql = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
    return {row["column_name"]: row["data_type"] for row in select(con, sql, mart)}


def _type(sql: str) -> str:
    """The type that Frictionless calls a type of SQL."""
    if sql in INTEGERS or sql.removeprefix("U") in INTEGERS:
        return "integer"
    known = {"VARCHAR": "string", "BOOLEAN": "boolean", "TIMESTAMP WITH TIME ZONE": "datetime"}
    return known.get(sql, "number")


def _about(published: Sequence[Facts]) -> Content:
    """What was swept, a row for each sweep."""
    rows = [_about_row(facts) for facts in published]
    columns = tuple(describe("sweeps", name, SHARED) for name in ("sweep", *ABOUT, "compared_with"))
    return Content("sweeps", "Which sweeps is this about, and what did they probe?", columns, rows)


def _about_row(facts: Facts) -> Row:
    shown = {column: facts.about[column] for column in ABOUT if column != "ports"}
    ports = " ".join(map(str, facts.about["ports"]))
    compared = facts.comparison.sweep if facts.comparison else None
    return {"sweep": facts.sweep, **shown, "ports": ports, "compared_with": compared}


def _names() -> Content:
    """The names of the countries."""
    rows = [
        {"alpha2": c.alpha2, "name": c.name, "numeric": c.numeric, "latitude": c.latitude, "longitude": c.longitude}
        for c in countries().values()
    ]
    described = {"name": Described("name", "string", "English name of the country.")}
    columns = tuple(described.get(name) or Described(name, *OWN[name]) for name in rows[0])
    return Content("country_names", "What are the countries called, and where are they?", columns, rows)


def _microdata(rows: Iterable[Microdata]) -> Content:
    """The rows of services."""
    lines = [row for each in rows for row in each.rows]
    types = dict.fromkeys(("country", "sector", "network_kind", "network_confidence", "product", "port"), "VARCHAR")
    names = ("sweep", "country", "sector", "sector_confidence", "network_kind", "network_confidence")
    columns = tuple(
        describe(MICRODATA, name, types) for name in (*names, "product", "port", "answer", "decoy", "country_only")
    )
    return Content(
        MICRODATA, "Which services answered, as far as no service can be shown from few others?", columns, lines
    )


def _value(value: Any, kind: str) -> Any:
    """A value as a column of this type has it; null for an estimate that the data do not allow."""
    match value, kind:
        case None, _:
            return None
        case _, "string":
            return str(value)
        case float(), "integer" if value.is_integer():
            return int(value)
        case int() | float(), "number":
            return float(value) if math.isfinite(value) else None
        case datetime(), _:
            return value.astimezone(UTC)
    return None if value == "" else value


def _cell(value: Any) -> Any:
    """A value in a CSV file."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.10g}"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return csv_cell(value)
