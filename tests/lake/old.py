"""What earlier versions wrote: tables by `tests/data/forms.toml`, plans by `tests/data/plans.toml`, and whole lakes.

Only Parquet and JSON are written here, by nothing of the program: a file of a past version is what that version's schema says.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.store import Sweep
from pipeline.schema import parse_type

DATA = Path(__file__).parents[1] / "data"
WHEN = datetime(2026, 11, 24, tzinfo=UTC)
#: A value of each simple type.
SOME: dict[str, Any] = {"string": "s", "binary": b"b", "bool": True, "double": 1.0}


@dataclass(frozen=True)
class Form:
    """One form of a table: the columns, with their types, that a version of the program wrote."""

    table: str
    number: int
    version: int
    columns: dict[str, str]

    @property
    def id(self) -> str:
        return f"{self.table}-{self.version}-{self.number}"

    @property
    def arrow(self) -> pa.Schema:
        fields = [
            pa.field(name, parse_type(text.rstrip("?")), text.endswith("?")) for name, text in self.columns.items()
        ]
        return pa.schema(fields, {"census.table": self.table, "census.schema_version": str(self.version)})

    def write(self, place: Sweep, rows: list[dict[str, Any]]) -> None:
        """Seal rows; a column that a row does not name has some value."""
        path = Path(str(place.sealed(self.table)))
        path.parent.mkdir(parents=True)
        filled = [{field.name: some(field.type) for field in self.arrow} | row for row in rows]
        pq.write_table(pa.Table.from_pylist(filled, schema=self.arrow), path, compression="zstd")


def forms() -> list[Form]:
    """All forms of all tables, a table's oldest first."""
    listed = tomllib.loads((DATA / "forms.toml").read_text())
    found = []
    for table, entries in listed.items():
        columns: dict[str, str] = {}
        for number, entry in enumerate(entries):
            columns = columns | entry["columns"]
            found.append(Form(table, number, entry["version"], columns))
    return found


def some(kind: pa.DataType) -> Any:
    """A value of a type."""
    if pa.types.is_list(kind):
        return [some(kind.value_type)]
    if pa.types.is_struct(kind):
        return {member.name: some(member.type) for member in kind}
    return WHEN if pa.types.is_timestamp(kind) else SOME.get(str(kind), 7)


def plan_forms() -> list[tuple[int, set[str]]]:
    """All forms of a plan, oldest first: the format that it names, and its fields (`SECTION.KEY` where there are sections)."""
    fields: set[str] = set()
    found = []
    for entry in tomllib.loads((DATA / "plans.toml").read_text())["plan"]:
        fields = fields | set(entry["fields"])
        found.append((entry["format"], fields))
    return found


def plan(today: dict[str, Any], number: int, fields: set[str]) -> bytes:
    """A plan as an earlier version would have frozen it: today's, without the fields that it did not know."""
    known = {"format": number, "digest": ""}
    for name, value in today.items():
        kept = {key: value[key] for key in value if f"{name}.{key}" in fields} if isinstance(value, dict) else {}
        if name in fields or kept:
            known[name] = known.get(name, value) if name in fields else kept
    digest = hashlib.sha256(msgspec.json.encode(known, order="sorted")).hexdigest()
    return msgspec.json.encode(known | {"digest": digest}, order="sorted")
