"""Marts about services and systems over a series, built once for each sweep from its own marts and those of the sweeps before it.

```
marts/sweep=ID/series-DIGEST/NAME.parquet
```

The digest is over that of the sweep's other marts (`pipeline.views.marts`) and that of each earlier sweep of its series: services and
systems are followed from the first one on. So if an earlier sweep is derived again, or another one comes between, these marts are
computed at query time, until `census enrich` has built those of each later sweep again, in order. A later sweep changes none of
them. What goes by the newest sweep of a series is built for each sweep, too, and read of the newest one alone.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import InputError
from pipeline.lake import layout, store
from pipeline.lake.layout import SweepPaths
from pipeline.lake.store import Location
from pipeline.views import catalogue, marts, raw_views, views
from pipeline.views.views import quoted

#: Marts whose rows follow from a sweep and the earlier ones of its series; each after those that it reads.
OF_SERVICES = ("service_steps", "stays", "newest_places")
OF_SYSTEMS = ("system_pairs", "system_links", "system_fates", "systems_followed", "link_trials", "system_tallies")
LINKED = (*OF_SERVICES, *OF_SYSTEMS)
#: Of these, the marts that have rows of the newest sweep of each series alone.
OF_NEWEST = ("newest_places",)
#: The view that holds the services of all sweeps up to the one that is built, and the mart whose files it reads then.
SEEN, EXPOSED = "services_seen", "exposed_2026_11"
#: The columns of that view; addresses as text are made when they are read.
PLACE = "sweep, series, position, ip, NULL AS address, port, country"
#: The mart that is built on its own earlier rows, and the view that holds those of the two sweeps before.
FOLLOWED, KNOWN = "systems_followed", "followed_before"
PREFIX = "series-"
#: What `series` is built on.
TABLES = ("sweeps", "methods")
#: The columns of `series` that say which sweep follows which.
ORDER = ("sweep", "previous", "before_previous")


@dataclass(frozen=True, slots=True)
class PlacedSweep:
    """A sweep of a series, its row of view `series`, the one or two before it, and the folders of its marts."""

    paths: SweepPaths
    row: pa.Table
    earlier: tuple["PlacedSweep", ...]
    alone: Location
    folder: Location

    @property
    def complete(self) -> bool:
        """Whether its linked marts are built."""
        return bool((self.folder / f"{LINKED[-1]}.parquet").exists())


def folders(sweeps: Iterable[SweepPaths]) -> Mapping[str, list[Location]]:
    """Where the marts of these sweeps are, for their tables and the SQL of now: those of each one alone, and its linked ones."""
    sweeps = list(sweeps)
    linked = place(sweeps) if _any_built(sweeps) else {}
    return {
        paths.id: [marts.folder(paths), *(each.folder for each in (linked.get(paths.id),) if each)] for paths in sweeps
    }


def in_use(paths: SweepPaths) -> list[Location]:
    """The same of one sweep of a lake."""
    return folders(layout.sweeps(paths.lake))[paths.id]


def build(paths: SweepPaths, message: Callable[[str], object] = lambda _: None) -> list[Location]:
    """Build the linked marts of a sealed sweep, remove older ones, and return the files; none if it is in no series.

    None, with a message, if those of the sweep before it are not built.
    """
    now = place(layout.sweeps(paths.lake)).get(paths.id)
    if now is None:
        return []
    before = now.earlier[0] if now.earlier else None
    if before and not before.complete:
        message(
            f"{paths.id}: is linked to earlier sweeps once `census enrich` has built the marts of {before.paths.id}"
        )
        return []
    return build_placed(now)


def build_placed(now: PlacedSweep) -> list[Location]:
    """The same of a sweep whose earlier ones are built."""
    with tempfile.TemporaryDirectory(prefix="census-") as temporary, raw_views.open_database() as con:
        _prepare(con, now)
        files = [_write(con, name, now, Path(temporary)) for name in LINKED]
    for old in store.entries(now.folder.parent, f"{PREFIX}*"):
        if old != now.folder:
            store.remove(old)
    return files


def built_of(sweeps: Iterable[SweepPaths], names: Collection[str] = LINKED) -> Mapping[str, str]:
    """Mart → SQL that reads the built files, and computes the mart for sweeps that have none; {} if no sweep has any."""
    sweeps = list(sweeps)
    if not names or not _any_built(sweeps):
        return {}
    placed = place(sweeps).values()
    before = {each.earlier[0].paths.id for each in placed if each.earlier}
    newest = [each for each in placed if each.paths.id not in before]
    each_of = {name: _rows(name, newest if name in OF_NEWEST else placed) for name in LINKED if name in names}
    return {name: sql for name, sql in each_of.items() if sql}


def _rows(name: str, placed: Iterable[PlacedSweep]) -> str:
    """SQL for the rows of a mart of these sweeps; empty if it is built of none."""
    placed = list(placed)
    complete = [each.folder for each in placed if each.complete]
    missing = [each.paths.id for each in placed if not each.complete]
    return marts.rows(name, complete, missing) if complete else ""


def place(sweeps: Iterable[SweepPaths]) -> Mapping[str, PlacedSweep]:
    """The sweeps that are in a series, each after the one before it."""
    by_id = {paths.id: paths for paths in sweeps}
    series = _series(by_id.values())
    placed: dict[str, PlacedSweep] = {}
    for number, (name, *before) in enumerate(zip(*(series[column].to_pylist() for column in ORDER), strict=True)):
        earlier = tuple(placed[each] for each in before if each)
        alone = marts.folder(by_id[name])
        text = f"{earlier[0].folder.name if earlier else ''} {name} {alone.name}"
        digest = hashlib.sha256(text.encode()).hexdigest()[: marts.DIGITS]
        folder = marts.home(by_id[name]) / f"{PREFIX}{digest}"
        placed[name] = PlacedSweep(by_id[name], series.slice(number, 1), earlier, alone, folder)
    return placed


def _any_built(sweeps: Iterable[SweepPaths]) -> bool:
    """Whether any of these sweeps has linked marts; else there is no need to know their order."""
    return any(store.entries(marts.home(paths), f"{PREFIX}*") for paths in sweeps)


def _series(sweeps: Iterable[SweepPaths]) -> pa.Table:
    """The rows of view `series` over these sweeps, in order. Raises InputError for a file that cannot be read."""
    sweeps = list(sweeps)
    with raw_views.open_database() as con:
        try:
            for statement in raw_views.of_sweeps(sweeps, TABLES):
                con.execute(statement).fetchall()
            for name in (*TABLES, "series"):
                con.execute(views.create(name, views.view(name).sql)).fetchall()
            return con.execute("FROM series ORDER BY series, position").to_arrow_table()
        except duckdb.Error as error:
            raise InputError(str(sweeps[0].lake), f"holds a file that DuckDB cannot read: {error}") from None


def _prepare(con: duckdb.DuckDBPyConnection, now: PlacedSweep) -> None:
    """Let a connection have all views over a sweep and those before it, each at its place in the whole series."""
    catalogue.load(con)
    sweeps, whole = [now, *now.earlier], list(_whole(now))
    unbuilt = [each for each in whole if not (each.alone / f"{EXPOSED}.parquet").exists()]
    paths = list({each.paths.id: each.paths for each in (*sweeps, *unbuilt)}.values())
    for statement in raw_views.of_sweeps(paths):
        con.execute(statement).fetchall()
    _keep(con, "series_here", pa.concat_tables([each.row for each in whole]))
    built = [each.alone for each in whole if each not in unbuilt]
    exposed = marts.rows(EXPOSED, built, [each.paths.id for each in unbuilt])
    con.execute(f"CREATE TABLE seen_here AS SELECT {PLACE} FROM ({exposed}) JOIN series_here USING (sweep)").fetchall()
    _keep(con, "series_here", pa.concat_tables([each.row for each in sweeps]))
    replaced = {
        **marts.built_of(paths),
        "series": "FROM series_here",
        SEEN: "SELECT * REPLACE (dotted(ip) AS address) FROM seen_here",
    }
    if known := [each.folder for each in now.earlier]:
        replaced[KNOWN] = marts.rows(FOLLOWED, known, [])
    for name, sql in replaced.items():
        con.execute(views.create(name, sql)).fetchall()


def _whole(now: PlacedSweep) -> Iterator[PlacedSweep]:
    """A sweep and all earlier ones of its series, the newest first."""
    yield now
    while now.earlier:
        now = now.earlier[0]
        yield now


def _keep(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Keep rows as a table of a connection."""
    con.register("rows_here", rows)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM rows_here").fetchall()
    con.unregister("rows_here")


def _write(con: duckdb.DuckDBPyConnection, name: str, now: PlacedSweep, folder: Path) -> Location:
    """Write the rows of a mart about a sweep as a file; those that are built on it read a table."""
    con.execute(f"CREATE TABLE {name}_here AS FROM {name}").fetchall()
    con.execute(views.create(name, f"FROM {name}_here")).fetchall()
    made, final = folder / f"{name}.parquet", now.folder / f"{name}.parquet"
    rows = f"SELECT * EXCLUDE (sweep) FROM {name} WHERE sweep = {quoted(now.paths.id)}"
    con.execute(f"COPY ({rows}) TO {quoted(str(made))} (COMPRESSION zstd)").fetchall()
    with store.replacing(final) as beginning:
        shutil.copyfile(made, beginning)
    return final
