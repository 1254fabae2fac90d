"""What a report says of a focus sweep, from made-up lakes."""

import duckdb
import pytest

from pipeline.publish import focus_sentences, markdown_report, sentences
from pipeline.publish.gather import gather
from pipeline.publish.publisher import Publisher
from pipeline.publish.report import OrderedReport, html
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """The demonstration as a focus sweep."""
    return demo.focused()


def test_counts_are_of_what_was_probed_and_the_estimate_of_the_whole(con: duckdb.DuckDBPyConnection) -> None:
    """The note says that it is a focus sweep; the last sentence has the weighted total with its interval, and no claim to be whole."""
    facts = gather(con, lake.SWEEP)
    assert facts.is_focus and not facts.sampled
    assert "focus sweep. It probed 5.0 % of the target space" in (sentences.warning(facts) or "")
    text = sentences.certainty(facts)
    assert "all /24s where 1 whole sweep had found a service, and a random 5.0 % of all other /24s" in text
    assert "an estimated 30 (95 % interval 11 to " in text and "probed the whole" not in text
    assert facts.focus and facts.focus["services_estimated"] == 10 + 1 / 0.05


def test_a_focus_has_no_rates(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing is said per million addresses: most of what was probed is where services were before."""
    facts = gather(con, lake.SWEEP)
    assert facts.totals["per_million"] is None and not facts.marts["rates"].rows
    assert {row["per_million"] for row in facts.marts["countries"].rows} == {None}
    assert "per million" not in " ".join(sentences.sentences(facts))


@pytest.mark.parametrize("country", ["GB", None])
def test_every_format_can_be_written(con: duckdb.DuckDBPyConnection, country: str | None) -> None:
    """The page and the Markdown have the note; a country's edition has no estimate."""
    facts = gather(con, lake.SWEEP, Scope(country=country))
    written = OrderedReport(facts, Publisher())
    for text in (html(written), markdown_report.text(facts, Publisher())):
        assert "This is a focus sweep" in text and ("no estimate for one country" in text) == (country is not None)


def test_change_is_told_from_the_panel(con: duckdb.DuckDBPyConnection) -> None:
    """What came and went at addresses that both sweeps probed is told with intervals; without an earlier one nothing is."""
    facts = gather(con, lake.SWEEP)
    assert list(focus_sentences.change(facts)) == []
    row = {
        "earlier": lake.WHEN, "came": 3, "went": 1, "net": 2.0, "net_low": -3.0, "net_high": 40.0,
        **{f"{name}{end}": value for name in ("came", "went") for end, value in (("_estimated", 3.0), ("_low", 1.0), ("_high", 9.0))},
    }  # fmt: skip
    object.__setattr__(facts, "focus", row)
    (sentence,) = focus_sentences.change(facts)
    assert "both probed, 3 services came and 1 went" in sentence and "by +2 (95 % interval -3 to +40)" in sentence
    assert "No change of the number is shown." in sentence
