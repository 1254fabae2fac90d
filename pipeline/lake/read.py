"""Read a sweep's table with the columns of today's schema, whichever version wrote it."""

from collections.abc import Sequence

import pyarrow as pa

from pipeline import schema
from pipeline.lake import receipts, schema_versions
from pipeline.lake.layout import SweepPaths


def rows(paths: SweepPaths, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """Read a table of the sweep with today's columns, from the sealed file or from the parts."""
    tables = [schema_versions.read(file, table, columns) for file in receipts.files(paths, table)]
    return pa.concat_tables(
        [schema_versions.today(empty(table), table, columns), *tables], promote_options="permissive"
    )


def empty(table: str) -> pa.Table:
    """Return the table without rows."""
    return schema.table(table).arrow.empty_table()
