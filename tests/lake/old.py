"""Files as earlier versions wrote them: tables by `tests/data/forms.toml`, plans by `tests/data/plans.toml`, and whole lakes.

The files are not written by the program: a file of a past version follows the schema of that version.
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

from pipeline.lake.layout import SweepPaths
from pipeline.plan import plan as planning
from pipeline.plan.plan import Plan
from pipeline.schema import parse_type
from pipeline.space.shard import Range, Walk

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

    def write(self, paths: SweepPaths, rows: list[dict[str, Any]]) -> None:
        """Seal rows."""
        self.put(Path(str(paths.sealed(self.table))), rows)

    def put(self, path: Path, rows: list[dict[str, Any]]) -> None:
        """Write rows as a file; a column that a row does not name gets an arbitrary value."""
        path.parent.mkdir(parents=True, exist_ok=True)
        filled = [{field.name: some(field.type) for field in self.arrow} | row for row in rows]
        pq.write_table(pa.Table.from_pylist(filled, schema=self.arrow), path, compression="zstd")


def forms() -> list[Form]:
    """All forms of all tables, the oldest form of a table first."""
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
    """All forms of a plan, oldest first: the format number and the fields (`SECTION.KEY` for a field of a section)."""
    fields: set[str] = set()
    found = []
    for entry in tomllib.loads((DATA / "plans.toml").read_text())["plan"]:
        fields = fields | set(entry["fields"])
        found.append((entry["format"], fields))
    return found


def plan(today: dict[str, Any], number: int, fields: set[str]) -> bytes:
    """A plan as an earlier version would have frozen it: today's plan without the fields unknown to that version."""
    known = {"format": number, "digest": ""}
    for name, value in today.items():
        kept = {key: value[key] for key in value if f"{name}.{key}" in fields} if isinstance(value, dict) else {}
        if name in fields or kept:
            known[name] = known.get(name, value) if name in fields else kept
    content = {name: value for name, value in known.items() if name != "signature"}
    digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
    return msgspec.json.encode(known | {"digest": digest}, order="sorted")


@dataclass(frozen=True)
class Age:
    """A version of the program: the form of its plans, and the form of each table that it sealed."""

    plan: int
    forms: dict[str, int]

    def form(self, table: str) -> Form:
        return next(form for form in forms() if (form.table, form.number) == (table, self.forms[table]))


#: The last versions before additions that `census verify` checks.
AGES = {
    "before round 2": Age(3, {"responses": 0, "associations": 1, "banners": 0, "receipts": 2, "sweeps": 0}),
    "before greetings": Age(5, {"responses": 0, "associations": 4, "banners": 0, "tls": 1, "receipts": 3, "sweeps": 0}),
    "before controls": Age(6, {"responses": 0, "associations": 4, "banners": 0, "tls": 1, "receipts": 5, "sweeps": 0}),
    "before harm": Age(
        7, {"responses": 0, "associations": 5, "banners": 0, "tls": 1, "controls": 0, "receipts": 6, "sweeps": 0}
    ),
    "before control targets": Age(
        8,
        {
            "responses": 0, "associations": 5, "banners": 0, "tls": 1, "controls": 0, "held": 0, "harm": 0,
            "receipts": 7, "sweeps": 0,
        },
    ),
    "before spared": Age(
        10,
        {
            "responses": 0, "associations": 5, "banners": 0, "tls": 1, "controls": 0, "held": 0, "harm": 0,
            "control_targets": 0, "receipts": 8, "sweeps": 0,
        },
    ),
    "before second SYNs had rows": Age(
        12,
        {
            "responses": 0, "associations": 6, "banners": 0, "tls": 1, "controls": 0, "held": 0, "harm": 0,
            "control_targets": 0, "receipts": 11, "sweeps": 0,
        },
    ),
}  # fmt: skip
#: One in this many targets of a range answered; the first target that answered spoke DICOM.
ANSWERS = 3


def lake(folder: Path, frozen: dict[str, Any], age: Age, *, sealed: bool) -> SweepPaths:
    """A sweep of a plan (`frozen`: today's plan as JSON) as an earlier version left it: its tables, or its parts and receipts."""
    paths = SweepPaths(folder, frozen["sweep"])
    paths.plan.parent.mkdir(parents=True)
    paths.plan.write_bytes(plan(frozen, *plan_forms()[age.plan]))
    read = planning.decode(paths.plan.read_bytes(), "plan.json")
    walk, tables = read.walk(), {table: [] for table in age.forms}
    paths.receipts.mkdir(parents=True)
    for chosen in (chosen for shard in range(walk.shards) for chosen in walk.ranges(shard)):
        rows = _rows(walk, chosen)
        receipt = _receipt(read, chosen, rows)
        if not sealed:
            receipt["parts"] = [_part(paths, age.form(table), chosen.key, rows[table]) for table in rows]
        for table in rows:
            tables[table] += rows[table]
        known = {name: receipt.get(name, 0) for name in age.form("receipts").columns}
        paths.receipt(chosen.key).write_bytes(msgspec.json.encode(known))
        tables["receipts"].append(known | {"started_at": WHEN, "finished_at": WHEN})
    tables["sweeps"] = [{"plan_digest": read.digest}]
    for table, all_rows in tables.items() if sealed else ():
        age.form(table).write(paths, all_rows)
    return paths


def _rows(walk: Walk, chosen: Range) -> dict[str, list[dict[str, Any]]]:
    """The rows of a range."""
    addresses, ports = walk.targets(chosen.shard, chosen.first_index, chosen.last_index + 1)
    answered = list(zip(addresses.tolist(), ports.tolist(), strict=True))[::ANSWERS]
    responses = [{"ip": ip, "port": port, "outcome": "silent"} for ip, port in answered]
    responses[0]["outcome"] = "accepted"
    return {"responses": responses, "associations": responses[:1]}


def _receipt(read: Plan, chosen: Range, rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The receipt of a range whose conversations the kernel held, as for every range before greetings existed."""
    count = len(rows["responses"])
    return {
        "shard": chosen.shard, "range": chosen.number, "round": 1, "first_index": chosen.first_index,
        "last_index": chosen.last_index, "plan_digest": read.digest, "code_version": "0", "host": "h",
        "vantage": "198.18.0.1", "attempts": 1, "probes_sent": chosen.length, "answers": count, "connects": count,
        "responses": count, "associations": len(rows["associations"]), "register_digest": "", "parts": [],
        "engine": None,
        "outcomes": [{"outcome": "accepted", "targets": 1}, {"outcome": "silent", "targets": count - 1}],
    }  # fmt: skip


def _part(paths: SweepPaths, form: Form, key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Write a part of a range; return its description for the receipt."""
    path = paths.part(form.table, f"{key}.1.parquet")
    form.put(Path(str(path)), rows)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"table": form.table, "file": path.name, "rows": len(rows), "sha256": digest}
