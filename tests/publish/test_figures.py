"""The figures of a report."""

from datetime import timedelta

import duckdb

from pipeline.publish import figures, plot
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo
from tests.publish.history import history

LAST = "20260629T030000Z-weekly"


def test_a_series_has_its_plots(history_con: duckdb.DuckDBPyConnection) -> None:
    """The trend of all and of the largest countries, and the turnover, are drawn; the text alternative has every count."""
    drawn = figures.figures(gather(history_con, LAST))
    own = figures.figures(gather(history_con, LAST, Scope(country="GB")))
    assert [figure.name for figure in drawn] == ["trend", "trend-US", "trend-GB", "trend-DE", "trend-SG", "turnover"]
    for sweep in history():
        if sweep.name == "weekly" and sweep.week < 5:
            assert f"{sweep.started:%Y-%m-%d}: {len(sweep.seen)}" in drawn[0].svg
    assert [figure.title for figure in own] == ["Services per sweep in the United Kingdom"]


def test_a_single_sweep_has_none() -> None:
    """A single sweep has no trend."""
    assert figures.figures(gather(demo.connect(), lake.SWEEP)) == []


def test_a_sweep_without_second_looks_is_not_drawn_as_certain() -> None:
    """The point of a sweep whose loss was not estimated is hollow, and its text says at least."""
    sweeps = [
        demo.sweep_row(1_000_000, 1) | {"sweep": f"s{n}", "started_at": lake.WHEN + timedelta(days=7 * n)}
        for n in (1, 2)
    ]
    con = lake.connect(
        sweeps=sweeps,
        methods=[{"sweep": f"s{n}", "method_digest": "m"} for n in (1, 2)],
        second_looks=[{"sweep": "s1", "vantage": "v", "seen_twice": 95, "second_only": 5}],
    )
    (drawn, *_) = figures.figures(gather(con, "s2"))
    assert drawn.svg.count(f'fill="{plot.PAPER}"') == 1 and "2026-07-04: at least 0" in drawn.svg
    assert "2026-06-27: 0" in drawn.svg and "Hollow points" in drawn.note
