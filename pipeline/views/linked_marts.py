"""Marts about systems over a series, built once for each sweep from its own marts and those of the two sweeps before it.

```
marts/sweep=ID/series-DIGEST/NAME.parquet
```

The digest is over that of the sweep's other marts (`pipeline.views.marts`) and that of each earlier sweep of its series: a system is
followed from the first one on. So if an earlier sweep is derived again, or another one comes between, these marts are computed at
query time, until `census enrich` has built those of each later sweep again, in order. The first sweep of a series has none.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
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
LINKED = ("system_pairs", "system_links", "system_fates", "systems_followed", "link_trials", "system_tallies")
#: The mart that is built on its own earlier rows, and the view that holds those of the two sweeps before.
FOLLOWED, KNOWN = "systems_followed", "followed_before"
PREFIX = "series-"
#: What `series` is built on.
TABLES = ("sweeps", "methods")
#: The columns of `series` that say which sweep follows which.
ORDER = ("sweep", "previous", "before_previous")


@dataclass(frozen=True, slots=True)
class PlacedSweep:
    """A sweep of a series, its row of view `series`, the one or two before it, and the folder of its linked marts."""

    paths: SweepPaths
    row: pa.Table
    earlier: tuple["PlacedSweep", ...]
    folder: Location

    @property
    def complete(self) -> bool:
        """Whether its linked marts are built; the first sweep of a series needs none."""
        return not self.earlier or (self.folder / f"{LINKED[-1]}.parquet").exists()


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
    """Build the linked marts of a sealed sweep, remove older ones, and return the files; none if it is the first of its series.

    None, with a message, if those of the sweep before it are not built.
    """
    placed = place(layout.sweeps(paths.lake))
    now = placed.get(paths.id)
    if now is None or not now.earlier:
        return []
    before = now.earlier[0]
    if not before.complete:
        message(f"{paths.id}: its systems are followed once `census enrich` has built the marts of {before.paths.id}")
        return []
    return build_placed(now)


def build_placed(now: PlacedSweep) -> list[Location]:
    """The same of a sweep that is not the first of its series; what is built of the sweep before it is read."""
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
    placed = [each for each in place(sweeps).values() if each.earlier]
    complete = [each.folder for each in placed if each.complete]
    missing = [each.paths.id for each in placed if not each.complete]
    return {name: marts.rows(name, complete, missing) for name in LINKED if name in names} if complete else {}


def place(sweeps: Iterable[SweepPaths]) -> Mapping[str, PlacedSweep]:
    """The sweeps that are in a series, each after the one before it."""
    by_id = {paths.id: paths for paths in sweeps}
    series = _series(by_id.values())
    placed: dict[str, PlacedSweep] = {}
    for number, (name, *before) in enumerate(zip(*(series[column].to_pylist() for column in ORDER), strict=True)):
        earlier = tuple(placed[each] for each in before if each)
        text = f"{earlier[0].folder.name if earlier else ''} {name} {marts.folder(by_id[name]).name}"
        digest = hashlib.sha256(text.encode()).hexdigest()[: marts.DIGITS]
        folder = marts.home(by_id[name]) / f"{PREFIX}{digest}"
        placed[name] = PlacedSweep(by_id[name], series.slice(number, 1), earlier, folder)
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
    sweeps = [now, *now.earlier]
    paths = [each.paths for each in sweeps]
    for statement in raw_views.of_sweeps(paths):
        con.execute(statement).fetchall()
    con.register("placed_sweeps", pa.concat_tables([each.row for each in sweeps]))
    con.execute("CREATE TABLE series_here AS FROM placed_sweeps").fetchall()
    replaced = {**marts.built_of(paths), "series": "FROM series_here"}
    if known := [each.folder for each in now.earlier if each.earlier]:
        replaced[KNOWN] = marts.rows(FOLLOWED, known, [])
    for name, sql in replaced.items():
        con.execute(views.create(name, sql)).fetchall()


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
