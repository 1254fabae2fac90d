"""The end of a report: sources, citation, licence."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.lake.layout import SweepPaths
from pipeline.publish import imprint
from pipeline.publish.publisher import Publisher, Wishes
from tests.analysis import lake
from tests.publish import demo


def test_a_report_says_how_to_cite_it(tmp_path: Path) -> None:
    """The citation has publisher, year, headline, sweep, day, plan and licence; the licence has its page."""
    said = imprint.imprint(
        SweepPaths(tmp_path, lake.SWEEP), Wishes("Example Lab", contact="a@example.org", licence="cc0-1.0")
    )
    facts = demo.gathered()
    cited, licence, ways = imprint.citation(facts, said.publisher)
    assert cited.startswith(
        f"Example Lab ({facts.started:%Y}). 11 DICOM services in 2 countries answered. DICOM census, sweep "
    )
    assert cited.endswith(". CC0 1.0.") and f"{facts.started:%Y-%m-%d}" in cited
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in licence and ways == "Contact: a@example.org."


def test_no_licence_is_assumed() -> None:
    """Without a licence the report says that none is named."""
    _, licence = imprint.citation(demo.gathered(), Publisher())
    assert licence.startswith("No licence is named")


def test_an_unknown_licence_is_refused(tmp_path: Path) -> None:
    """What is no licence for data is an input error."""
    with pytest.raises(InputError, match="--licence: mine is not"):
        imprint.imprint(SweepPaths(tmp_path, lake.SWEEP), Wishes(licence="mine"))


def test_sources_are_named() -> None:
    """The country database and the standard are among the sources; what a database wrote is foreign."""
    sources = list(imprint.sources(demo.gathered()))
    assert any(source.text.startswith("Countries of addresses: ") and source.foreign for source in sources)
    assert sources[-1].url == "https://www.dicomstandard.org/current"
