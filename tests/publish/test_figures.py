"""The figures of a report."""

from datetime import timedelta

from pipeline.publish import figures
from pipeline.publish.chart import Credit
from pipeline.publish.drawing import PAPER
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo
from tests.publish.history import gathered, history
from tests.publish.recompute import genuine

LAST = "20260629T030000Z-weekly"


def test_a_series_has_its_plots() -> None:
    """Maps, ranks, answers, trends of all and of the largest countries, and turnover; the text alternative has every
    count, without likely decoys."""
    drawn = {each.name: each for each in figures.figures(gathered(LAST))}
    trends = ["trend", "trend-US", "trend-GB", "trend-DE", "trend-SG", "turnover"]
    assert list(drawn) == ["map", "map-per-million", "ranking", "answers", *trends]
    for sweep in history():
        if sweep.name == "weekly" and sweep.week < 5:
            assert f"{sweep.started:%Y-%m-%d}: {len(genuine(list(sweep.seen)))} " in drawn["trend"].spoken


def test_a_country_has_its_own() -> None:
    """A country's edition has its place among the countries, its answers, ports and trend in place of a world map."""
    drawn = {each.name: each for each in figures.figures(gathered(LAST, Scope(country="GB", min_cell=1)))}
    assert list(drawn) == ["ranking", "answers", "ports", "trend"]
    assert drawn["trend"].title == "DICOM services that answered in the United Kingdom, per sweep"
    assert drawn["ranking"].spoken.startswith("1. United States: ") and "2. United Kingdom: " in drawn["ranking"].spoken


def test_a_picture_says_what_it_shows() -> None:
    """Every picture has title, axis or legend, source, date and licence in it, and the banner of a testbed."""
    credit = Credit("Example Lab, DICOM census, sweep of 2026-06-29", "CC BY 4.0", "", "All hosts are simulated.")
    for each in figures.figures(gathered(LAST)):
        picture = each.picture(credit, white=True)
        for text in (each.title, f"Source: {credit.source}", "CC BY 4.0", "All hosts are simulated."):
            assert f">{text}</text>" in picture, (each.name, text)
        assert ">DICOM services</text>" in picture or ">not probed</text>" in picture


def test_a_single_sweep_has_no_trend() -> None:
    """A single sweep has nothing over time."""
    drawn = figures.figures(demo.gathered())
    assert [each.name for each in drawn] == ["map", "map-per-million", "ranking", "answers"]


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
    drawn, *_ = figures.over_time(gather(con, "s2"))
    assert drawn.drawings[0].count(f'fill="{PAPER}"') == 1 and "2026-07-04: at least 0" in drawn.spoken
    assert "2026-06-27: 0" in drawn.spoken and "Hollow points" in drawn.subtitle
