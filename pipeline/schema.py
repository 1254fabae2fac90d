"""The tables as data: `schemas/*.toml` is the contract, this module reads it into Arrow schemas.

A column is non-null unless the file gives it a `null` rule. `values` names the enumeration of `pipeline.outcome` that a
column's values come from. `since` is the version that added a column, `before` its value for rows of earlier versions.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import pyarrow as pa

from pipeline import checkout, outcome

FOLDER = checkout.SCHEMAS
#: Tables whose rows go to a journal while a range runs, and to a part when it is done.
JOURNALED = (
    "responses",
    "associations",
    "banners",
    "tls",
    "controls",
    "control_targets",
    "second_syns",
    "held",
    "harm",
    "companions",
)

_SIMPLE = {
    "bool": pa.bool_(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Arrow type, its meaning, when it is null, and the enumeration that its values come from.

    `before` is the value for rows of versions without the column (docs/decisions/0013-schema-versions.md); None is unknown.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    null: str = ""
    values: str = ""
    since: int = 1
    before: bool | int | float | str | None = None

    @property
    def field(self) -> pa.Field:
        """The column as an Arrow field."""
        return pa.field(self.name, parse_type(self.type), nullable=bool(self.null))

    @property
    def allowed(self) -> list[str]:
        """The values that the column may have; empty if it may have any."""
        return [str(member.value) for member in getattr(outcome, self.values)] if self.values else []


@dataclass(frozen=True)
class Table:
    """One table of the lake."""

    name: str
    version: int
    meaning: str
    sort: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, with the table's name and version in its metadata."""
        metadata = {"census.table": self.name, "census.schema_version": str(self.version)}
        return pa.schema([column.field for column in self.columns], metadata=metadata)


def explained(table: Table) -> pa.Schema:
    """The Arrow schema of a table, with each column's meaning and unit in the field's metadata, as `comment` and `unit`."""
    fields = (
        column.field.with_metadata({"comment": column.meaning} | ({"unit": column.unit} if column.unit else {}))
        for column in table.columns
    )
    return pa.schema(list(fields), metadata=table.arrow.metadata)


def parse_type(text: str) -> pa.DataType:
    """Parse a type of the files: a simple type, `list<T>` or `struct<name: T, ...>`. Raises ValueError."""
    if text in _SIMPLE:
        return _SIMPLE[text]
    if match := re.fullmatch(r"list<(.+)>", text):
        return pa.list_(parse_type(match[1]))
    if match := re.fullmatch(r"struct<(.+)>", text):
        members = (member.split(": ") for member in re.split(r", (?=\w+: )", match[1]))
        return pa.struct([(name, parse_type(kind)) for name, kind in members])
    raise ValueError(f"unknown column type {text!r}")


@cache
def table(name: str) -> Table:
    """Read `schemas/NAME.toml`."""
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return Table(
        name=data["table"],
        version=data["version"],
        meaning=data["meaning"],
        sort=tuple(data["sort"]),
        key=tuple(data["key"]),
        columns=(*(Column(**column) for column in data["column"]), *_like(data.get("like"))),
    )


def _like(other: dict[str, Any] | None) -> list[Column]:
    """The columns that a table takes from another one, with the versions of its own that added them."""
    if not other:
        return []
    columns, since = {column.name: column for column in table(other["table"]).columns}, other.get("since", {})
    return [replace(columns[name], since=since.get(name, 1)) for name in other["columns"]]


@cache
def tables() -> tuple[Table, ...]:
    """All tables, by name."""
    return tuple(table(path.stem) for path in sorted(FOLDER.glob("*.toml")))
