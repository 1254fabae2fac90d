"""The sentences of a report."""

import pytest

from pipeline.publish import markdown_report, report, sentences, terminal
from pipeline.publish.gather import gather
from pipeline.publish.publisher import Publisher
from pipeline.publish.report import OrderedReport
from pipeline.publish.scope import Scope
from tests.analysis import lake
from tests.publish import demo
from tests.publish.history import gathered, history

LAST = "20260629T030000Z-weekly"
SWEEP = next(sweep for sweep in history() if sweep.id == LAST)


def test_headline_agrees_in_number() -> None:
    """One service in one country is in the singular."""
    found = {"ip": demo.FIRST, "port": 104, "outcome": "accepted"}
    con = lake.connect(
        sweeps=[demo.sweep_row(1_000_000, 1)], associations=[found], locations=[{"ip": demo.FIRST, "country": "NL"}]
    )
    gathered = gather(con, lake.SWEEP)
    assert sentences.headline(gathered) == "1 DICOM service in 1 country answered"
    assert (
        "1 DICOM service (likely decoys included) answered at addresses that the country database places in the Netherlands"
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


def test_shares_are_of_all_countries() -> None:
    """The shares of services that accept a stranger, and that are inside TLS, stand in a sentence with their intervals."""
    facts = gathered(LAST)
    accepting, inside = facts.totals["accepting"], sum(host.tls == "completed" for host in SWEEP.seen)
    said = " ".join(sentences.sentences(facts))
    assert f"{accepting} ({sentences.with_interval(accepting, len(SWEEP.seen))}) accepted an association" in said
    assert f"{inside} of the services ({sentences.with_interval(inside, len(SWEEP.seen))}) answered inside TLS." in said
    assert sentences.with_interval(85, 180) == "47.2 %, 95 % interval 40.1 % to 54.5 %"


def test_a_country_has_its_rank() -> None:
    """An edition says which place the country has among all with a service."""
    said = " ".join(sentences.sentences(gathered(LAST, Scope(country="GB"))))
    assert (
        "By the number of services without likely decoys, the United Kingdom is number 2 of the 4 countries in which any answered"
        in said
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
        (f"**{banner}**" in markdown_report.text(gathered, Publisher()))
        == (f'<p class="warning">{banner}</p>' in report.html(OrderedReport(gathered, Publisher())))
        == told
    )
