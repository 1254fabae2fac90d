"""Read the data of a report from the marts, with peers' strings made safe and disclosure control applied."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import duckdb

from pipeline.errors import CensusError, InputError
from pipeline.publish import focus_sentences, other_studies
from pipeline.publish.countries import countries, in_sentence
from pipeline.publish.data import Comparison, Facts, Mart, Row
from pipeline.publish.disclosure_rules import FOLLOWED
from pipeline.publish.escape import shown
from pipeline.publish.publishable import publishable, safe
from pipeline.publish.scope import Scope, base, restricted
from pipeline.publish.undoubted import leading
from pipeline.publish.withheld_facts import MARTS, Withheld, withheld
from pipeline.publish.withheld_facts import NOTHING as NOTHING_WITHHELD
from pipeline.untrusted.visible import visible
from pipeline.views import views
from pipeline.views.views import NAMED, PUBLISHED, SERIES

#: The longest description of a database that is shown, in characters; a sweep may have several databases.
LONG_SOURCE = 2048

#: How many of the probed countries an error lists.
NAMED_COUNTRIES = 20

#: Marts that measure the sweep itself, whatever country its targets are in.
MEASURED = ("harm_arms",)
#: Marts from which a country's edition takes the rows of the country; all others are computed from the country's targets alone.
STRUCTURE = ("rates", "concentration", "stayers", "country_bounds", "as_published", "software_ages", "visibility")
WHOLE = ("countries", "country_databases", "changes", "country_trend", "country_loss", *STRUCTURE)
#: Marts without a country that also hold for a part of the countries: they measure the sweep, or `of_country` computes them again.
OF_ALL = ("totals", "funnel", "trend", "loss", "vantages", *MEASURED)
EVERY = (*PUBLISHED, *NAMED, *SERIES)

#: Query → its rows of a sweep, in all countries. No query is run twice: planning one takes longer than its rows.
RowsOf = Callable[[str], list[Row]]
#: The rows of a sweep in marts that have been read already, by name.
Ready = Mapping[str, list[Row]]
NOTHING: Ready = MappingProxyType({})


def gather(
    con: duckdb.DuckDBPyConnection, sweep: str, scope: Scope | None = None, names: Collection[str] = EVERY,
    ready: Ready = NOTHING,
) -> Facts:  # fmt: skip
    """Read what is published of a sealed sweep. Raises InputError if there is no such sweep, or none to compare with.

    Marts that are not among `names` are not read, and have no row; those of `ready` are not read again. A country's edition has none
    about systems over time, and neither has the first sweep of a series.
    """
    scope = scope or Scope()
    rows_of: RowsOf = cache(lambda name: ready[name] if name in ready else query(con, name, sweep=sweep))
    about = rows_of("about")
    if not about:
        raise InputError(
            f"sweep {visible(sweep)}",
            "is not sealed in this lake; `census sweeps LAKE` lists what there is",
        )
    sources = rows_of("country_sources")
    source = "; ".join(dict.fromkeys(row["country_source"] for row in sources if row["country_source"])) or None
    second = next((row["second_source"] for row in sources if row["second_source"]), "")
    comparison = _comparison(con, sweep, scope, names, rows_of)
    if scope.country or not comparison:
        names = [name for name in names if name not in FOLLOWED]
    marts, world = _marts(con, sweep, scope, names, rows_of)
    return Facts(
        sweep=visible(sweep),
        about=safe(about[0]),
        packets=rows_of("packets")[0],
        marts=marts,
        world=world,
        country_source=shown(source, LONG_SOURCE) if source else None,
        geo_built=_build_date(source or ""),
        second_source=shown(second, LONG_SOURCE) or None,
        scope=scope,
        comparison=comparison,
        systems=_systems(rows_of("system_counts"), scope),
        encrypted=_encrypted(rows_of("tls_share"), scope) if "tls_share" in names else None,
        history=tuple(rows_of("change_history")) if "change_totals" in names else (),
        focus=focus_sentences.of(about[0], scope, rows_of),
    )


def of_country(facts: Facts, country: str) -> Facts:
    """The part of a sweep's data that is about one country, from the rows of all countries.

    Unlike the country's edition it is computed without the lake: loss is that of all countries together, and marts that have no
    country have no row.
    """
    about = {
        name: mart if name in OF_ALL or "country" in mart.columns else replace(mart, rows=())
        for name, mart in facts.marts.items()
    }
    marts = _of_country(about, country)
    counted = [(row["certain"], row["probable"], row["possible"]) for row in marts["system_counts"].rows]
    systems = counted[0] if counted and None not in counted[0] else None
    encrypted = next((row["over_tls"] for row in marts["tls_share"].rows if row["handshakes"]), None)
    scope = replace(facts.scope, country=country)
    return replace(facts, marts=marts, scope=scope, history=(), systems=systems, encrypted=encrypted)


def _marts(
    con: duckdb.DuckDBPyConnection, sweep: str, scope: Scope, names: Collection[str], rows_of: RowsOf
) -> tuple[dict[str, Mart], tuple[Row, ...]]:
    """The published marts of a sweep, or of a country in it, and the counts of all countries.

    Marts that are not among `names` have no row.
    """
    columns, hidden = _columns(con), _withheld(con, sweep, scope, names)

    def mart(name: str, rows: Sequence[Row]) -> Mart:
        shown = (column for column in columns[name] if name in SERIES or column != "sweep")
        return Mart(name, tuple(shown), publishable(name, rows, scope, hidden, sweep), views.view(name).question)

    whole = {name: mart(name, rows_of(name)) for name in (*WHOLE, *MEASURED) if name in names}
    if scope.country:
        _require_probed(scope.country, whole["countries"].rows)
    with restricted(con, scope.country):
        rows_of_part: RowsOf = partial(query, con, sweep=sweep) if scope.country else rows_of
        rest = {name: mart(name, rows_of_part(name)) for name in EVERY if name in names and name not in whole}
    empty = {name: Mart(name, (), (), views.view(name).question) for name in EVERY if name not in names}
    marts = {name: (whole | rest | empty)[name] for name in EVERY}
    if marts["as_published"].rows:
        ports = rows_of("ports")
        shown = publishable("ports", ports, replace(scope, country=None), hidden, sweep)
        rows = other_studies.withheld(marts["as_published"].rows, ports, shown, scope.min_cell)
        marts["as_published"] = replace(marts["as_published"], rows=tuple(rows))
    of_scope = _of_country(marts, scope.country) if scope.country else _of_all(marts)
    return of_scope, marts["countries"].rows


def _of_all(marts: dict[str, Mart]) -> dict[str, Mart]:
    """The marts of a whole sweep: the totals count the countries besides those that are known to have likely decoys alone."""
    totals, rows = marts["totals"], marts["countries"].rows
    if not rows:
        return marts
    counted = sum(1 for row in rows if row["country"] and leading(row))
    shown = tuple(row | {"countries_undoubted": min(counted, leading(row))} for row in totals.rows)
    return marts | {"totals": replace(totals, rows=shown)}


def _withheld(con: duckdb.DuckDBPyConnection, sweep: str, scope: Scope, names: Collection[str]) -> Withheld:
    """What is withheld in all marts of a sweep, and in those that hold its series."""
    if scope.min_cell == 1:
        return NOTHING_WITHHELD
    sweeps = "(FROM so_far($sweep))" if "country_trend" in names else "($sweep)"
    rows = {mart: _rows(con, f"FROM {mart}\nWHERE sweep IN {sweeps}", {"sweep": sweep}) for mart in MARTS}
    return withheld(rows, scope.min_cell)


def _systems(rows: Sequence[Row], scope: Scope) -> tuple[int, int, int] | None:
    """How many systems there are by each rule, of all countries or of one that is not too small."""
    rows = [row for row in rows if scope.country in (None, row["country"])]
    counted = [row for row in rows if row["possible"] is not None]
    if not counted or (scope.country and rows[0]["services"] < scope.min_cell):
        return None
    strict, middle, loose = (sum(row[rule] for row in counted) for rule in ("certain", "probable", "possible"))
    return strict, middle, loose


def _encrypted(rows: Sequence[Row], scope: Scope) -> int | None:
    """How many services are inside TLS, of all countries or of one.

    None if TLS was not tried, or if the total would show a count that is withheld: that of one country, or of few services.
    """
    shown = publishable("tls_share", rows, scope)
    if scope.country:
        return next((row["over_tls"] for row in shown if row["country"] == scope.country and row["handshakes"]), None)
    hidden = [row for row in shown if row["over_tls"] is None]
    if not any(row["handshakes"] for row in rows):
        return None
    if hidden and (len(hidden) < 2 or sum(row["services"] for row in hidden) < scope.min_cell):
        return None
    return sum(int(row["over_tls"]) for row in rows)


def _require_probed(country: str, rows: Sequence[Row]) -> None:
    """Raise InputError if no address of a country was probed: nothing can be said of it, not even that nothing is there."""
    probed = [row["country"] for row in rows if row["country"] in countries()]
    if country not in probed:
        named = ", ".join(probed[:NAMED_COUNTRIES]) + (", …" if len(probed) > NAMED_COUNTRIES else "")
        raise InputError(
            "--country", f"no address of {in_sentence(country)} was probed; choose one of {named or 'none'}"
        )


def _comparison(
    con: duckdb.DuckDBPyConnection, sweep: str, scope: Scope, names: Collection[str], rows_of: RowsOf
) -> Comparison | None:
    before = base(con, sweep, scope.since)
    if before is None:
        return None
    (earlier,) = select(con, "SELECT started_at FROM sweeps WHERE sweep = ?", before)
    return Comparison(
        visible(before),
        visible(sweep),
        earlier["started_at"],
        rows=tuple(query(con, "compared", before=before, sweep=sweep)),
        loss=tuple(rows_of("loss")) if "loss" in names else (),
        vantages=tuple(rows_of("vantages")) if "vantages" in names else (),
        country_loss=tuple(rows_of("country_loss")) if "country_loss" in names else (),
    )


def _of_country(marts: dict[str, Mart], country: str) -> dict[str, Mart]:
    """The marts of a country's edition: totals and funnel with its own denominators, and no other country's rows."""
    own = {
        name: replace(mart, rows=tuple(row for row in mart.rows if mart.columns and row["country"] == country))
        for name, mart in marts.items()
        if "country" in mart.columns or name in WHOLE
    }
    (total,), (counts,) = marts["totals"].rows, own["countries"].rows
    funnel = tuple(
        {"position": row["position"], "step": row["step"], "targets": row["targets"], "targets_estimated": None}
        for row in own["country_funnel"].rows
    )
    changes = tuple(
        row | {key: sum(r[key] for r in own["changes"].rows) for key in row if key in own["changes"].columns}
        for row in marts["change_totals"].rows
    )
    trend = {row["sweep"]: row for row in own["country_trend"].rows}
    none = dict.fromkeys(("services", "addresses", "accepting", "decoys"), 0)
    trends = tuple(
        row | {key: trend.get(row["sweep"], none)[key] for key in none} | {"services_estimated": None}
        for row in marts["trend"].rows
    )
    changed = {
        "trend": trends,
        "totals": (total | {key: counts[key] for key in total if key in counts},),
        "funnel": funnel,
        "change_totals": changes,
    }
    return marts | own | {name: replace(marts[name], rows=rows) for name, rows in changed.items()}


def query(con: duckdb.DuckDBPyConnection, name: str, **parameters: str) -> list[Row]:
    """The rows of a query of a report (`views.report`)."""
    return _rows(con, views.report(name).sql, parameters)


def select(con: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[Row]:
    """All rows of a query, as dictionaries."""
    return _rows(con, sql, list(parameters))


def _rows(con: duckdb.DuckDBPyConnection, sql: str, parameters: object) -> list[Row]:
    """The rows of a query. Raises CensusError for a lake whose files are damaged, or have other columns than ours."""
    try:
        cursor = con.execute(sql, parameters)
    except duckdb.Error as error:
        brief = str(error).partition("\n")[0]
        raise CensusError(f"the lake's tables are damaged, or are not this program's: {brief}") from None
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, map(_in_utc, row), strict=True)) for row in cursor.fetchall()]


def _in_utc(value: Any) -> Any:
    """Times in UTC, whatever zone the connection is set to."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Mart → its columns, in their order."""
    sql = (
        "SELECT table_name, list(column_name ORDER BY column_index) AS names FROM duckdb_columns() GROUP BY table_name"
    )
    return {row["table_name"]: tuple(row["names"]) for row in select(con, sql)}


def _build_date(source: str) -> date | None:
    """The oldest build date that the sources name."""
    return min((date.fromisoformat(text) for text in re.findall(r"built (\d{4}-\d\d-\d\d)", source)), default=None)
