"""Each figure of the report, from the tables of the bundle: part of every bundle, as `figures.py`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import draw  # type: ignore[import-not-found]
from reproduce import estimate, latest, rows  # type: ignore[import-not-found]

#: What comes first of a country's services: those besides likely decoys, where their number is published.
LEADING = "countries.services - coalesce(countries.decoys, 0)"


def _trend(con: Any, _: Path) -> str:
    points = _points(con, rows(con, "FROM trend ORDER BY started_at"))
    return str(draw.trend(points, "DICOM services that answered, per sweep"))


def _points(con: Any, lines: list[dict[str, Any]]) -> list[tuple[datetime, float, float, float]]:
    """Counts over time without likely decoys, if no sweep withholds them, each with its interval."""
    sweeps = {row["sweep"]: row for row in rows(con, "FROM sweeps")}
    apart = all(row["decoys"] is not None for row in lines)
    points = []
    for row in lines:
        about = sweeps.get(row["sweep"]) or {"sweep": row["sweep"], "sampled_share": row["sampled_share"]}
        shown = row["services"] - (row["decoys"] or 0) if apart else row["services"]
        _, low, high = estimate(con, about, shown, None)
        points.append((_time(row["started_at"]), shown, low, high))
    return points


def _turnover(con: Any, _: Path) -> str:
    query = "SELECT trend.started_at, history.* FROM history JOIN trend ON trend.sweep = history.sweep ORDER BY 1"
    pairs = [(_time(row["started_at"]), row["new"] + row["returned"], row["missing"]) for row in rows(con, query)]
    return str(draw.turnover(pairs, "New and missing services"))


def _map(column: str, title: str) -> Callable[[Any, Path], str]:
    def drawn(con: Any, folder: Path) -> str:
        query = f"""SELECT names.numeric, {column} AS value, countries.services
            FROM countries JOIN country_names AS names ON names.alpha2 = countries.country
            WHERE countries.sweep = ? AND names.numeric IS NOT NULL"""
        values = {
            row["numeric"]: row["value"] if row["services"] else None for row in rows(con, query, latest(con)["sweep"])
        }
        return str(draw.world(folder / "outlines.json", values, title))

    return drawn


def _country(country: str) -> Callable[[Any, Path], str]:
    def drawn(con: Any, _: Path) -> str:
        query = """SELECT trend.sweep, trend.started_at, trend.sampled_share, coalesce(own.services, 0) AS services,
                CASE WHEN own.services IS NULL THEN 0 ELSE own.decoys END AS decoys
            FROM trend LEFT JOIN country_trend AS own ON own.sweep = trend.sweep AND own.country = ? ORDER BY started_at"""
        return str(
            draw.trend(_points(con, rows(con, query, country)), f"DICOM services that answered in {country}, per sweep")
        )

    return drawn


def _ranking(con: Any, _: Path) -> str:
    query = """SELECT names.name, services - coalesce(decoys, 0) AS value
        FROM countries JOIN country_names AS names ON names.alpha2 = countries.country
        WHERE countries.sweep = ? AND countries.services > 0 ORDER BY value DESC, name LIMIT 15"""
    bars = [(row["name"], row["value"]) for row in rows(con, query, latest(con)["sweep"])]
    return str(draw.bars(bars, "Countries by number of DICOM services"))


def _answers(con: Any, _: Path) -> str:
    (totals,) = rows(con, "FROM totals WHERE sweep = ?", latest(con)["sweep"])
    labels = {"accepting": "Accepted", "rejected": "Rejected", "aborted": "Aborted"}
    return str(
        draw.bars(
            [(text, totals[name]) for name, text in labels.items()], "How DICOM services answered an unknown client"
        )
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


class _Figures(dict[str, Callable[[Any, Path], str]]):
    """The figures by name; `trend-GB` is that of a country."""

    def __missing__(self, name: str) -> Callable[[Any, Path], str]:
        return _country(name.removeprefix("trend-"))


FIGURES = _Figures(
    {
        "trend": _trend,
        "turnover": _turnover,
        "ranking": _ranking,
        "answers": _answers,
        "map": _map(LEADING, "DICOM services per country"),
        "map-per-million": _map(
            "coalesce(per_million_undoubted, per_million)", "Addresses with a DICOM service, per million probed"
        ),
    }
)
