"""The figures of a report."""

import duckdb

from pipeline.publish import figures
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
