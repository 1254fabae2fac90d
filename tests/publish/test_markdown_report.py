"""The report as Markdown."""

import re

import pytest

from pipeline.publish import cells, glossary, markdown_report, meaning
from pipeline.publish.gather import gather
from pipeline.publish.publisher import Publisher
from pipeline.publish.scope import Scope
from tests.publish import history
from tests.publish.history import gathered

LAST = "20260629T030000Z-weekly"


@pytest.mark.parametrize("scope", [Scope(), Scope(country="GB")])
def test_it_has_its_figures_and_no_empty_section(scope: Scope) -> None:
    """Figures are linked by file, findings are a list, and every heading has something under it; nothing is an entity."""
    text = markdown_report.text(gathered(LAST, scope), Publisher(), "png")
    assert re.search(r"^!\[[^]]+ per sweep\]\(trend\.png\)$", text, re.MULTILINE) and "&#" not in text
    assert not re.search(r"^## .*\n\n(?:None\.|##)", text, re.MULTILINE) and "\n- Of " in text
    for part in (meaning.TITLE, glossary.TITLE, "Method", "Sources", "Cite and reuse"):
        assert f"\n## {part}\n" in text


@pytest.mark.parametrize("sweep", [LAST, "20260706T030000Z-weekly"])
def test_a_summary_needs_few_marts(sweep: str) -> None:
    """Headline, funnel and countries are the same from few marts as from all, with a sweep before it in its series and without."""
    few = gather(history.connect(), sweep, names=cells.BRIEF)
    assert markdown_report.summary(few) == markdown_report.summary(gathered(sweep)) and not few.marts["ports"].rows


def test_without_pictures_there_is_no_link() -> None:
    """Where no picture is written, none is linked."""
    text = markdown_report.text(gathered(LAST), Publisher())
    assert "![" not in text and "## In figures" not in text
