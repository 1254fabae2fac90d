"""Marts of sealed sweeps, built once and kept in the lake, so that a history of years is asked in seconds.

```
marts/sweep=ID/DIGEST/NAME.parquet
```

The digest is over the SQL of all these marts and over size and time of the tables that they read: another definition, or a table
that was written again, is another digest, and the mart is then made from the facts as it is asked. So a built mart never
tells anything else than its SQL. `census enrich` builds them again.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.lake import store
from pipeline.lake.parts import GROUP_ROWS
from pipeline.lake.store import Place, Sweep
from pipeline.views import queries, relations
from pipeline.views.queries import quoted

#: Marts whose rows follow from one sweep's tables alone.
BUILT = (
    "exposed_2026_11", "totals", "funnel", "countries", "country_databases", "outcomes", "ports", "implementations",
    "products", "sectors", "networks", "network_kinds",
    "responders", "system_counts", "ae_control", "tls_share", "doubts", "suspicions",
    "rejections", "country_funnel", "loss",
)  # fmt: skip
#: Beside `responses`, marts ask only where those are that spoke DICOM.
SPOKE = "WHERE ip IN (SELECT ip FROM raw_associations)"
DIGITS = 16


def folder(place: Sweep) -> Place:
    """Where the marts of a sweep stand as its tables and the SQL are now."""
    seen = hashlib.sha256(_sql().encode())
    for table in schema.tables():
        path = place.sealed(table.name)
        if stamp := store.stamp(path):
            seen.update(f"\0{table.name} {stamp}".encode())
    return _home(place) / seen.hexdigest()[:DIGITS]


def build(place: Sweep) -> bool:
    """Build the marts of a sweep that is sealed, in place of older ones; whether it is. The last one tells that all are there."""
    if not place.sealed("sweeps").exists():
        return False
    final = folder(place)
    with tempfile.TemporaryDirectory(prefix="census-") as folder_, relations.connection() as con:
        made = Path(folder_) / f"sweep={place.id}"
        made.mkdir()
        for statement in relations.of_sweeps([place]):
            con.execute(statement).fetchall()
        queries.install_some(con, BUILT)
        _stand(con, _placed(place, made))
        _stand(con, _keep(con, "raw_locations", made, SPOKE))
        for name in BUILT:
            file = _keep(con, name, made)
            _stand(con, file)
            with store.beside(final / file.name) as beginning:
                shutil.copyfile(file, beginning)
    for old in store.entries(_home(place), "*"):
        if old != final:
            store.remove(old)
    return True


def _keep(con: duckdb.DuckDBPyConnection, view: str, folder: Path, which: str = "") -> Path:
    """Write a view, or which of its rows, as a file of its name."""
    path = folder / f"{view}.parquet"
    rows = f"SELECT * EXCLUDE (sweep) FROM {view} {which}"
    con.execute(f"COPY ({rows}) TO {quoted(str(path))} (COMPRESSION zstd)").fetchall()
    return path


def _stand(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Let a kept view stand for its SQL in all that is built on it."""
    con.execute(f"CREATE OR REPLACE VIEW {file.stem} AS {relations.read_sweeps([file])}").fetchall()


def _placed(place: Sweep, folder: Path) -> Path:
    """What marts ask of view `responses`, as its file. Both tables are sorted by address, so no join by hash is needed."""
    answers = _columns(place, "responses", ["ip", "port", "outcome"])
    places = _columns(place, "locations", ["ip", "country"])
    ips, known = (np.asarray(table["ip"], dtype=np.uint32) for table in (answers, places))
    at = np.searchsorted(known, ips)
    missing = (at == len(known)) | (np.append(known, 0)[at] != ips)
    country = places["country"].unify_dictionaries().combine_chunks().take(pa.array(at, mask=missing))
    path = folder / "responses.parquet"
    placed = answers.append_column("country", country)
    pq.write_table(
        placed, path, compression="lz4", use_dictionary=["port", "outcome", "country"], row_group_size=GROUP_ROWS
    )
    return path


def _columns(place: Sweep, table: str, columns: list[str]) -> pa.Table:
    """Columns of a sealed table, texts as codes; empty if the sweep has none."""
    path = place.sealed(table)
    if not path.exists():
        return schema.table(table).arrow.empty_table().select(columns)
    return pq.read_table(path, columns=columns, partitioning=None, read_dictionary=columns[1:])


def built(lake: Place) -> Mapping[str, str]:
    """Mart → its rows as SQL, of built marts where they are and of its own SQL for the other sweeps; {} if none is built."""
    places = store.sweeps(lake)
    folders = {place.id: folder(place) for place in places}
    ready = [found for found in folders.values() if (found / f"{BUILT[-1]}.parquet").exists()]
    if not ready:
        return {}
    others = [sweep for sweep, found in folders.items() if found not in ready]
    return {name: _joined(name, sql, ready, others) for name, sql, _ in queries.views() if name in BUILT}


def _joined(name: str, sql: str, ready: list[Place], others: list[str]) -> str:
    files = [path / f"{name}.parquet" for path in ready]
    rows = relations.read_sweeps(files)
    if not others:
        return rows
    listed = ", ".join(map(quoted, others))
    return f"{rows}\nUNION ALL BY NAME\nFROM ({sql}) WHERE sweep IN ({listed})"


def _home(place: Sweep) -> Place:
    return place.lake / "marts" / f"sweep={place.id}"


@cache
def _sql() -> str:
    """Everything that the marts are made of: all macros and views, since each may read any."""
    return "\n".join(queries.statements())
