"""The data dictionary, `docs/tables.md`, from `schemas/*.toml`.

python -m tools.tables_page > docs/tables.md
"""

from collections.abc import Iterator

from pipeline import schema
from pipeline.schema import Column, Table
from tools import mappings
from tools.mappings import Census, Field

HEAD = """# Tables

Every table of the lake, column by column. This page is made from `schemas/*.toml` by `python -m tools.tables_page`; a test holds
it against them. The [views](views.md) of `census sql` add to a table what follows from others, and `sweep`, which is part of
a file's path. Each Parquet file names its table, schema version, sweep and plan digest in its metadata (`census.table`,
`census.schema_version`, `census.sweep`, `census.plan_digest`), and each of its columns has its meaning (`comment`) and `unit` there.
A row of an earlier version is read with the columns of today: what came later is null in it, or what its last words say
([decision 13](decisions/0013-schema-versions.md)).
"""


def page() -> str:
    """The whole page."""
    tables = (line for table in schema.tables() for line in _table(table))
    others = (line for census in mappings.mappings() for line in _census(census))
    return "\n".join([HEAD, *tables, *others])


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"{table.meaning} Version {table.version}; key: {_names(table.key)}; order: {_names(table.sort) or 'as written'}."
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    yield from (f"| `{column.name}` | {_cell(column.type)} | {_cell(_meaning(column))} |" for column in table.columns)
    yield ""


def _census(census: Census) -> Iterator[str]:
    """What another census keeps, and the columns with the same facts."""
    yield f"## In the words of {census.name}"
    yield ""
    yield f"{census.name} keeps of a DICOM service {census.record}: {census.source}. Each of its fields is a column of `associations`,"
    yield f"or follows from some. {census.note}"
    yield ""
    yield "| field | columns | meaning | names |"
    yield "|---|---|---|---|"
    yield from (_other_field(other) for other in census.fields)
    yield ""
    yield "As SQL:"
    yield ""
    yield "```sql"
    yield "SELECT sweep, address, port,"
    yield ",\n".join(f'    {other.sql} AS "{other.name}"' for other in census.fields)
    yield "FROM associations"
    yield "```"
    yield ""


def _other_field(other: Field) -> str:
    names = ", ".join(f"{codes} {name}" for codes, name in other.names.items())
    return f"| `{other.name}` | {_names(other.columns)} | {other.meaning} | {names} |"


def _meaning(column: Column) -> str:
    """The meaning of a column, with its unit, its null rule, its closed set and its first version."""
    parts = (
        column.meaning,
        f"Unit: {column.unit}." if column.unit else "",
        f"One of `{column.values}`." if column.values else "",
        f"Null: {column.null}." if column.null else "",
        f"Since version {column.since}." if column.since > 1 else "",
        f"Before: {column.before}." if column.before is not None else "",
    )
    return " ".join(part for part in parts if part)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
