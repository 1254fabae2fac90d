"""The data dictionary, `docs/tables.md`, from `schemas/*.toml`.

python -m tools.tables_page > docs/tables.md
"""

from collections.abc import Iterator

from pipeline import schema
from pipeline.schema import Column, Table

HEAD = """# Tables

Every table of the lake, column by column. This page is made from `schemas/*.toml` by `python -m tools.tables_page`; a test holds
it against them. The views of `census sql` add to a table what follows from others ([sql](sql.md)), and `sweep`, which is part of
a file's path. Each Parquet file names its table, schema version, sweep and plan digest in its metadata (`census.table`,
`census.schema_version`, `census.sweep`, `census.plan_digest`). A row of an earlier version is
read with the columns of today: what came later is null in it, or what its last words say
([decision 13](decisions/0013-schema-versions.md)).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for table in schema.tables() for line in _table(table))])


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"{table.meaning} Version {table.version}; key: {_names(table.key)}; order: {_names(table.sort) or 'as written'}."
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    yield from (f"| `{column.name}` | {_cell(column.type)} | {_cell(_meaning(column))} |" for column in table.columns)
    yield ""


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
