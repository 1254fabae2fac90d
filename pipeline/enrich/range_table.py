"""Databases as Parquet: a row a range of addresses, sorted and disjoint, with the name and the build of their source.

The source's name, build date and SHA-256, its licence and where it came from are in the file's metadata under `geo.*`.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

#: The first bytes of a Parquet file (Apache Parquet file format).
MAGIC = b"PAR1"
#: What every table states about its source.
REQUIRED = ("name", "build_date", "sha256")
#: More ranges than any database of IPv4 has: a range for each 42 addresses.
MOST_ROWS = 100_000_000
BOUNDS = (pa.field("first", pa.uint32(), nullable=False), pa.field("last", pa.uint32(), nullable=False))


def source(facts: Mapping[str, str]) -> str:
    """Name, build date and digest of a database, as plans, tables and reports quote it."""
    return f"{facts['name']}, built {facts['build_date']}, sha256 {facts['sha256']}"


def is_one(path: Path) -> bool:
    """Whether a file is a Parquet table, by its first bytes, or should be one by its name."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".parquet" or file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None


def save(table: pa.Table, path: Path, facts: Mapping[str, str]) -> None:
    """Write a table of ranges, with `facts` (name, build_date, sha256 and others) as its metadata."""
    texts = [field.name for field in table.schema if field.name not in ("first", "last")]
    pq.write_table(
        table.replace_schema_metadata({f"geo.{key}": value for key, value in facts.items()}),
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=texts,
        column_encoding={"first": "DELTA_BINARY_PACKED", "last": "DELTA_BINARY_PACKED"},
        row_group_size=len(table) or 1,
        data_page_size=1 << 24,
        store_schema=True,
    )


def read(path: Path, schema: pa.Schema, kind: str) -> tuple[pa.Table, dict[str, str]]:
    """Read a table in order of address, and its facts; `kind` is its word in errors. Raises InputError."""
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise InputError(
                    str(path), f"has {file.metadata.num_rows:,} rows; no {kind} table has over {MOST_ROWS:,}"
                )
            table = file.read()
        columns = [table[field.name].cast(field.type) for field in schema]
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except KeyError:
        raise InputError(str(path), f"is not a {kind} table: it needs the columns {schema.names}") from None
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not a Parquet table of {kind} ranges: {error}") from None
    facts = _facts(path, table.schema.metadata or {})
    return in_order(path, pa.table(columns, schema=schema)), facts


def in_order(path: Path, table: pa.Table) -> pa.Table:
    """The table sorted by address. Raises InputError if a bound is missing, or ranges are empty or overlap."""
    if table["first"].null_count or table["last"].null_count:
        raise InputError(str(path), "has a range without a first or last address; make it again from its source")
    table = table.sort_by("first")
    first, last = (table[name].to_numpy().astype(np.int64) for name in ("first", "last"))
    if (last < first).any():
        raise InputError(str(path), "has a range that ends before it begins; make it again from its source")
    if (overlap := np.flatnonzero(first[1:] <= last[:-1])).size:
        at = ".".join(map(str, int(first[overlap[0] + 1]).to_bytes(4, "big")))
        raise InputError(str(path), f"has ranges that overlap at {at}; each address may be in one range only")
    return table


def _facts(path: Path, metadata: Mapping[bytes, bytes]) -> dict[str, str]:
    facts = {
        key.decode(errors="replace").removeprefix("geo."): value.decode(errors="replace")
        for key, value in metadata.items()
        if key.startswith(b"geo.")
    }
    try:
        date.fromisoformat(facts["build_date"])
        return facts | {key: facts[key] for key in REQUIRED}
    except KeyError as error:
        raise InputError(
            str(path), f"does not name its build: {error} is missing in its metadata; make it again from the source"
        ) from None
    except ValueError:
        raise InputError(
            str(path), f"has a build date that is not a date (YYYY-MM-DD): {facts['build_date']!r}"
        ) from None
