"""The sentences of a report."""

import pytest

from pipeline.publish import report, sentences, terminal
from pipeline.publish.gather import gather
from tests.analysis import lake
from tests.publish import demo


def test_headline_agrees_in_number() -> None:
    """One service in one country is in the singular."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)], associations=[found], locations=[{"ip": demo.FIRST, "country": "NL"}]
    )
    gathered = gather(con, lake.SWEEP)
    assert sentences.headline(gathered) == "1 DICOM service in 1 country answered"
    assert (
        "1 DICOM service answered at addresses that the country database places in the Netherlands"
        in (list(sentences.sentences(gathered))[1])
    )


def test_likely_decoys_stand_beside_the_headline() -> None:
    """The headline counts first what is no likely decoy, in the countries that have such a service, then all."""
    found = [{"ip": demo.FIRST + n, "port": 104, "outcome": "accepted"} for n in range(3)]
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 3)],
        associations=found,
        locations=[{"ip": demo.FIRST + n, "country": country} for n, country in enumerate(("NL", "NL", "FR"))],
        fingerprints=[{"ip": demo.FIRST + n, "port": 104, "suspicions": ["dicompot-echo"]} for n in (1, 2)],
    )
    assert sentences.headline(gather(con, lake.SWEEP)) == (
        "1 DICOM service in 1 country answered (3 with likely decoys)"
    )


@pytest.mark.parametrize(("second_looks", "hinted"), [(3, True), (400, False)])
def test_a_loss_that_is_hardly_known_says_so(second_looks: int, hinted: bool) -> None:
    """Where few hosts got a second SYN, the estimate says so."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)],
        associations=[found],
        second_looks=[{"vantage": "v", "seen_twice": second_looks, "first_only": 0, "second_only": 0}],
    )
    said = sentences.certainty(gather(con, lake.SWEEP))
    assert ("hardly known: only 3 hosts measured it" in said) == hinted


@pytest.mark.parametrize(
    ("receipts", "told"), [((True, True), True), ((True, None), False), ((False, False), False), ((), False)]
)
def test_a_testbed_is_told(receipts: tuple[bool | None, ...], told: bool) -> None:
    """A report of a testbed says that its hosts are simulated; one whose receipts do not tell, or of real hosts, does not."""
    rows = [{"range": number, "testbed": testbed} for number, testbed in enumerate(receipts)]
    gathered = gather(lake.connect(sweeps=[demo.sweep_row(1_000_000, 0)], receipts=rows), lake.SWEEP)
    banner = "A closed testbed: all hosts are simulated."
    assert (sentences.simulated(gathered) == banner) == told
    assert [str(line) for line in terminal.banner(gathered)] == [banner] * told
    assert (
        (f"**{banner}**" in report.markdown_text(gathered))
        == (f'<p class="warning">{banner}</p>' in report.html(gathered))
        == told
    )
