"""Read a sweep's table as today's schema has it, whichever version wrote it."""

from collections.abc import Sequence

import pyarrow as pa

from pipeline import schema
from pipeline.lake import receipts, schema_versions
from pipeline.lake.layout import SweepPaths


def rows(paths: SweepPaths, table: str, columns: Sequence[str] = ()) -> pa.Table:
    """A table of the sweep as today's, from the sealed file or from the parts, whichever version wrote them."""
    found = [schema_versions.read(file, table, columns) for file in receipts.files(paths, table)]
    return pa.concat_tables([schema_versions.today(empty(table), table, columns), *found], promote_options="permissive")


def empty(table: str) -> pa.Table:
    """The table without a row."""
    return schema.table(table).arrow.empty_table()
