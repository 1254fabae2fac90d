"""What a site reads of a lake: the data of each sweep with the one before it, and the numbers of all sweeps over time.

The data of a sweep is read from that sweep and the one before it alone, so it does not depend on later sweeps, and its time does
not grow with the lake. What is over time is read of all sweeps at once, from the few marts that hold it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.lake import layout, read
from pipeline.lake.layout import ENRICHED, SweepPaths
from pipeline.lake.store import Location
from pipeline.publish import gather
from pipeline.publish.data import Facts, Row
from pipeline.publish.publishable import publishable
from pipeline.publish.scope import Scope
from pipeline.publish.withheld_facts import MARTS as WITHHELD_BY
from pipeline.publish.withheld_facts import withheld
from pipeline.views import connection, views
from pipeline.views.views import NAMED, PUBLISHED, quoted

#: Published marts about more sweeps than the two that are compared.
OF_MORE = ("changes", "change_totals", "visibility")
#: Marts of one sweep that a page shows.
SHOWN = tuple(name for name in (*PUBLISHED, *NAMED) if name not in OF_MORE)
#: Marts over time, and views that the queries of a report read besides.
OVER_TIME = ("trend", "country_trend", "loss", "country_loss", "harm_arms")
#: Marts of a sweep and the one before it, so that later sweeps do not matter.
OF_PAIRS = ("stayers",)
QUERIED = (*OF_PAIRS, "sweeps", "receipts", "coverage", "series", "sightings", "space", "withheld")


@dataclass(frozen=True, slots=True)
class PastSweeps:
    """All sealed and enriched sweeps of a lake, oldest first, and the rows of the marts over time."""

    sweeps: tuple[SweepPaths, ...]
    marts: Mapping[str, Sequence[Row]]

    def row(self, sweep: str) -> Row:
        """The row of a sweep in `trend`."""
        return next(row for row in self.marts["trend"] if row["sweep"] == sweep)

    def series_of(self, sweep: str) -> list[Row]:
        """The rows of a sweep's series up to it, oldest first; its own alone if it can be compared with no other."""
        own = self.row(sweep)
        if own["series"] is None:
            return [own]
        rows = [row for row in self.marts["trend"] if row["series"] == own["series"]]
        return [row for row in rows if row["started_at"] <= own["started_at"]]

    def before(self, sweep: str) -> SweepPaths | None:
        """The sweep that a sweep is compared with."""
        *earlier, _ = self.series_of(sweep)
        return next((paths for paths in self.sweeps if earlier and paths.id == earlier[-1]["sweep"]), None)

    def latest(self, name: str | None = None) -> SweepPaths | None:
        """The latest sweep, or that of a series by its name."""
        started = {row["sweep"]: row["started_at"] for row in self.marts["trend"] if name in (None, row["name"])}
        named = [paths for paths in self.sweeps if paths.id in started]
        return max(named, key=lambda paths: (started[paths.id], paths.id)) if named else None


def sealed(lake: Location) -> tuple[tuple[SweepPaths, ...], tuple[SweepPaths, ...]]:
    """The sweeps of a lake that are sealed and enriched, and the others. Focus and visibility sweeps are among these: their counts
    are of a part of the space.

    Raises InputError for a folder that is not a lake.
    """
    sweeps = layout.sweeps(lake)
    ended = [paths for paths in sweeps if not paths.is_visibility and paths.sealed("sweeps").exists()]
    done = [paths for paths in ended if paths.sealed(ENRICHED).exists()]
    ready = tuple(paths for paths in done if not read.rows(paths, "sweeps", ["focus"])["focus"][0].as_py())
    return ready, tuple(paths for paths in sweeps if paths not in ready)


def history(sweeps: Sequence[SweepPaths], scope: Scope) -> PastSweeps:
    """The numbers over time of these sweeps, at least one."""
    orders = dict.fromkeys(OVER_TIME, "sweep") | {"trend": "started_at, sweep", "country_trend": "started_at, country"}
    with connection.connect_to(sweeps, (*OVER_TIME, *WITHHELD_BY, "sweeps")) as con:
        rows = {name: gather.select(con, f"FROM {name} ORDER BY {order}") for name, order in orders.items()}
        hidden = withheld({name: gather.select(con, f"FROM {name}") for name in WITHHELD_BY}, scope.min_cell)
    return PastSweeps(tuple(sweeps), {name: publishable(name, lines, scope, hidden) for name, lines in rows.items()})


def facts(
    history: PastSweeps, sweeps: Sequence[SweepPaths], scope: Scope, proofs: Mapping[str, str]
) -> Iterator[Facts]:
    """What is published of each of these sweeps, and its series up to it."""
    pairs = {paths: [*([before] if (before := history.before(paths.id)) else []), paths] for paths in sweeps}
    opened = sorted({paths for pair in pairs.values() for paths in pair}, key=lambda paths: paths.id)
    with connection.connect_to(opened, (*SHOWN, *QUERIED)) as con:
        ready = _of_each(
            partial(gather.select, con),
            [paths.id for paths in sweeps],
            [name for name in SHOWN if name not in OF_PAIRS],
        )
        for paths, pair in pairs.items():
            connection.narrow(con, pair, QUERIED)
            gathered = gather.gather(con, paths.id, scope, SHOWN, ready.pop(paths.id))
            yield replace(_with_series(history, gathered, paths.id), proof=proofs[paths.id])


def _of_each(
    select: Callable[[str], list[Row]], sweeps: Collection[str], names: Iterable[str]
) -> dict[str, gather.Ready]:
    """The rows of marts that are about one sweep each, by sweep: one query for each mart, however many sweeps."""
    read: dict[str, dict[str, list[Row]]] = {sweep: {} for sweep in sweeps}
    for name in names:
        sql = f"FROM {name}\nWHERE sweep IN ({', '.join(map(quoted, sweeps))})\nORDER BY {views.view(name).order}"
        for marts in read.values():
            marts[name] = []
        for row in select(sql):
            read[row.pop("sweep")][name].append(row)
    return dict(read)


def _with_series(history: PastSweeps, gathered: Facts, sweep: str) -> Facts:
    """What was gathered of a sweep, with the marts over time up to it."""
    series = history.series_of(sweep)
    ids = {row["sweep"] for row in series}
    over_time: dict[str, Sequence[Row]] = {"trend": series}
    over_time |= {
        name: [row for row in history.marts[name] if row["sweep"] in ids] for name in OVER_TIME if name != "trend"
    }
    marts = {
        name: replace(mart, columns=_columns(over_time[name]), rows=tuple(over_time[name]))
        if name in over_time
        else mart
        for name, mart in gathered.marts.items()
    }
    then = gathered.comparison
    if then:
        then = replace(then, loss=marts["loss"].rows, country_loss=marts["country_loss"].rows)
    return replace(gathered, marts=marts, comparison=then)


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(rows[0]) if rows else ()


def names(history: PastSweeps) -> list[str]:
    """The names of the series of a lake."""
    return sorted({row["name"] for row in history.marts["trend"]})
