"""Marts of sealed sweeps, built once and kept in the lake, so that queries over years of sweeps take seconds.

```
marts/sweep=ID/DIGEST/NAME.parquet
```

The digest is over the SQL of all these marts and over size and time of the tables that they read. If a definition changes, or a
table is written again, the digest is another one, and the mart is computed from the tables at query time. So a built mart
always equals what its SQL gives. `census enrich` builds them again.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import schema
from pipeline.lake import layout, schema_versions, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.parts import GROUP_ROWS
from pipeline.lake.store import Location
from pipeline.views import catalogue, raw_views, views
from pipeline.views.views import quoted

#: Marts whose rows follow from one sweep's tables alone.
BUILT = (
    "exposed_2026_11", "totals", "funnel", "countries", "country_databases", "outcomes", "ports", "implementations",
    "products", "sectors", "networks", "network_kinds",
    "responders", "system_counts", "ae_control", "tls_share", "doubts", "suspicions",
    "rejections", "country_funnel", "harm_arms", "exposed_addresses", "looks", "host_looks", "host_loss",
    "loss", "country_loss", "as_published", "rates", "concentration", "software_ages", "system_sightings",
    "companion_ports", "companion_kinds",
)  # fmt: skip
#: Tables that no built mart reads, so that writing them makes none stale.
APART = frozenset({"notices"})
#: Besides view `responses`, marts read the locations of addresses that spoke DICOM only.
SPOKE_DICOM = "WHERE ip IN (SELECT ip FROM raw_associations)"
DIGITS = 16


def folder(paths: SweepPaths) -> Location:
    """Where the marts of a sweep are, for its tables and the SQL of now."""
    digest = hashlib.sha256(_sql().encode())
    for table in schema.tables():
        if table.name not in APART and (stamp := store.stamp(paths.sealed(table.name))):
            digest.update(f"\0{table.name} {stamp}".encode())
    return home(paths) / digest.hexdigest()[:DIGITS]


def complete(paths: SweepPaths) -> bool:
    """Whether the marts of a sweep's tables and the SQL of now are built."""
    return (folder(paths) / f"{BUILT[-1]}.parquet").exists()


def build(paths: SweepPaths) -> bool:
    """Build the marts of a sealed sweep and remove older ones; False if it is not sealed. The last file marks the set complete."""
    if not paths.sealed("sweeps").exists():
        return False
    final = folder(paths)
    with tempfile.TemporaryDirectory(prefix="census-") as temporary, raw_views.open_database() as con:
        made = Path(temporary) / f"sweep={paths.id}"
        made.mkdir()
        catalogue.load(con)
        for statement in raw_views.of_sweeps([paths]):
            con.execute(statement).fetchall()
        _read_from(con, _write_located_responses(paths, made))
        _read_from(con, _write_view(con, "raw_locations", made, SPOKE_DICOM))
        for name in BUILT:
            file = _write_view(con, name, made)
            _read_from(con, file)
            with store.replacing(final / file.name) as beginning:
                shutil.copyfile(file, beginning)
    for old in store.entries(home(paths), "*"):
        if old != final:
            store.remove(old)
    return True


def _write_view(con: duckdb.DuckDBPyConnection, view: str, folder: Path, where: str = "") -> Path:
    """Write the rows of a view, or those that a condition selects, as a file of its name."""
    path = folder / f"{view}.parquet"
    rows = f"SELECT * EXCLUDE (sweep) FROM {view} {where}"
    con.execute(f"COPY ({rows}) TO {quoted(str(path))} (COMPRESSION zstd)").fetchall()
    return path


def _read_from(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Let the view of a file's name read the file, for all views that are built on it."""
    con.execute(f"CREATE OR REPLACE VIEW {file.stem} AS {raw_views.read_sweeps([file])}").fetchall()


def _write_located_responses(paths: SweepPaths, folder: Path) -> Path:
    """Write the columns of view `responses` that marts read. Both tables are sorted by address, so no hash join is needed."""
    responses = _columns(paths, "responses", ["ip", "port", "outcome"])
    locations = _columns(paths, "locations", ["ip", "country", "asn"])
    ips, located = (np.asarray(table["ip"], dtype=np.uint32) for table in (responses, locations))
    at = np.searchsorted(located, ips)
    missing = (at == len(located)) | (np.append(located, 0)[at] != ips)
    country = locations["country"].unify_dictionaries().combine_chunks().take(pa.array(at, mask=missing))
    asn = locations["asn"].combine_chunks().take(pa.array(at, mask=missing))
    path = folder / "responses.parquet"
    pq.write_table(
        responses.append_column("country", country).append_column("asn", asn), path,
        compression="lz4", use_dictionary=["port", "outcome", "country"], row_group_size=GROUP_ROWS,
    )  # fmt: skip
    return path


def _columns(paths: SweepPaths, table: str, columns: list[str]) -> pa.Table:
    """Columns of a sealed table, texts as dictionary codes; empty if the sweep has no such table."""
    path = paths.sealed(table)
    if not path.exists():
        return schema.table(table).arrow.empty_table().select(columns)
    with schema_versions.damage_named(path, table):
        return pq.read_table(store.file(path), columns=columns, partitioning=None, read_dictionary=columns[1:])


def built(lake: Location) -> Mapping[str, str]:
    """Mart → SQL that reads the built files, and computes the mart for sweeps that have none; {} if no sweep has any."""
    return built_of(layout.sweeps(lake))


def built_of(sweeps: Iterable[SweepPaths], names: Iterable[str] = BUILT) -> Mapping[str, str]:
    """The same of these sweeps and marts alone."""
    folders = {paths.id: folder(paths) for paths in sweeps}
    complete = {sweep: home for sweep, home in folders.items() if (home / f"{BUILT[-1]}.parquet").exists()}
    if not complete:
        return {}
    missing = [sweep for sweep in folders if sweep not in complete]
    return {name: rows(name, list(complete.values()), missing) for name in names}


def rows(name: str, complete: list[Location], missing: list[str]) -> str:
    """SQL for the rows of a mart: from its files in these folders, and computed for the sweeps without one."""
    # The files' folders say which sweep they are of, so it comes last there; in a mart it comes first.
    sources = []
    if complete:
        files = raw_views.read_alike([path / f"{name}.parquet" for path in complete])
        sources.append(f"SELECT sweep, * EXCLUDE (sweep) FROM ({files})")
    if missing:
        sources.append(f"FROM ({views.view(name).sql}) WHERE sweep IN ({', '.join(map(quoted, missing))})")
    return "\nUNION ALL BY NAME\n".join(sources)


def home(paths: SweepPaths) -> Location:
    """The folder of all marts of a sweep."""
    return paths.lake / "marts" / f"sweep={paths.id}"


@cache
def _sql() -> str:
    """Which marts there are, and everything that they are made of: all macros and views, since each may read any."""
    return "\n".join([*BUILT, *views.statements()])
