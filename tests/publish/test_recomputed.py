"""Every number of a report equals the number recomputed from its history by independent code."""

import re
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from pipeline.publish import land, markdown_report, sheets, worldmap
from pipeline.publish.drawing import Size
from pipeline.publish.publisher import Publisher
from pipeline.publish.scope import Scope
from pipeline.publish.sheets import Sheet
from pipeline.views import views
from tests.publish import exact, recompute
from tests.publish.history import Sweep, gathered, history

TABLES = (*views.PUBLISHED, *views.NAMED, *views.SERIES, "survival", "changed")
#: The first of a series, one after the opt-out, the last before the method change, one after the lost vantage, the last.
CHOSEN = (
    "20260601T030000Z-weekly",
    "20260615T030000Z-weekly",
    "20260629T030000Z-weekly",
    "20260629T033000Z-second",
    "20260720T030000Z-weekly",
)
NAMES = {"GB": "United Kingdom", "DE": "Germany", "US": "United States", "SG": "Singapore"}
SWEEPS = {sweep.id: sweep for sweep in history()}


#: No cell is withheld.
ALL = Scope(min_cell=1)


@cache
def tables(sweep: str) -> dict[str, Sheet]:
    """The tables of a sweep's report, before their numbers are rounded."""
    return {sheet.name: sheet for sheet in sheets.sheets(gathered(sweep, ALL))}


def plain(value: Any) -> Any:
    """A value of a table, with every number as a float."""
    if isinstance(value, datetime):
        return value.timestamp()
    if value is None or isinstance(value, str):
        return value or ""
    return float(value)


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in a fixed order: by their texts and whole numbers, columns by name."""
    return sorted(
        rows, key=lambda row: [str(row[c]) for c in sorted(row) if isinstance(row[c], str) or row[c].is_integer()]
    )


@pytest.mark.parametrize("sweep", CHOSEN)
@pytest.mark.parametrize("table", TABLES)
def test_every_number_is_recomputed(sweep: str, table: str) -> None:
    """Plain Python over the history gives the same cells as the report, intervals and tests included."""
    sheet = tables(sweep)[table]
    shown = [{column: plain(row[column]) for column in sheet.columns} for row in sheet.rows]
    expected = [{c: plain(v) for c, v in row.items()} for row in getattr(recompute, table)(SWEEPS[sweep])]
    assert len(shown) == len(expected)
    for one, other in zip(ordered(shown), ordered(expected), strict=True):
        assert one.keys() == other.keys()
        for column, value in other.items():
            assert one[column] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-6, abs=1e-8)), (
                column
            )


@pytest.mark.parametrize("sweep", CHOSEN)
def test_the_sentences_have_the_same_numbers(sweep: str) -> None:
    """Headline, estimate, change and what is left of the first sweep have the recomputed numbers."""
    said = markdown_report.text(gathered(sweep, ALL), Publisher())
    of: Sweep = SWEEPS[sweep]
    chance, services = recompute.chance(of), len(of.seen)
    low, high = exact.whole(services, chance)
    genuine = sum(not recompute.decoy(host) for host in of.seen)
    assert said.startswith(f"# {genuine} DICOM services in 4 countries answered ({services} with likely decoys)")
    assert (
        f"an estimated {round(services / chance[0])} were reachable (95 % interval {int(low)} to {int(high)})" in said
    )
    changed = recompute.changed(of)
    if changed:
        told = changed[0]
        assert (
            f"{told['went']} did not answer this time, and {told['came']} answered that had not been seen then" in said
        )
        for noun, words in (("gone", "no longer answer"), ("new", "answer for the first time")):
            net, least, greatest = (round(told[f"{noun}_{end}"]) for end in ("net", "low", "high"))
            assert re.search(f"{net} \\({least} to {greatest}\\) (addresses and ports )?{words}", said)
    left = recompute.cohorts(of)
    if left:
        begun, last = recompute.series(of)[0].started, left[-1]
        assert (
            f"Of {last['cohort']} services that answered on {begun:%Y-%m-%d}, {last['answered']} ({100 * last['share']:.1f} %) "
            f"still answered at the same address on {of.started:%Y-%m-%d}"
        ) in said


@pytest.mark.parametrize("sweep", CHOSEN)
def test_the_maps_have_the_same_numbers(sweep: str) -> None:
    """Each country on a map has its recomputed count without likely decoys, or addresses per million; no other country is there."""
    shown = gathered(sweep, ALL).marts["countries"].rows
    rows = [row for row in recompute.countries(SWEEPS[sweep]) if row["country"] and row["services"]]
    for measure, column in zip(worldmap.MEASURES, ("undoubted", "per_million_undoubted"), strict=True):
        told = dict(
            re.findall(
                r"<title>([^<:]+): ([\d.,]+)(?: \(.+?\))?</title>",
                land.draw(shown, measure, Size(1100, 500, 14), "map"),
            )
        )
        assert told.keys() == {NAMES[row["country"]] for row in rows}
        for row in rows:
            expected = row[column]
            assert float(told[NAMES[row["country"]]].replace(",", "")) == pytest.approx(expected, abs=0.5)


def test_nothing_is_compared_across_a_change_of_method() -> None:
    """The first sweep of the changed method has no change and begins a new trend; the week of the lost vantage has no pair."""
    changed = {sheet.name: sheet.text for sheet in sheets.labelled(gathered("20260706T030000Z-weekly"))}
    assert "changed" not in changed and changed["trend"].count("\n") == 2
    (pairs,) = [sheet.text for sheet in sheets.labelled(gathered(CHOSEN[2], ALL)) if sheet.name == "vantages"]
    assert "20260622T030000Z" not in pairs and pairs.count("\n") == 1 + 4 * 2
