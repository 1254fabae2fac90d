"""The method section of a report."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.publish import method_section
from pipeline.publish.gather import gather
from tests.analysis import lake
from tests.publish import demo


def test_method_names_what_makes_a_number_recomputable() -> None:
    """Plan digest, ports, sample, dates and country database are all in the method; our own address is not."""
    told = {fact.term: fact.text for fact in method_section.table(demo.gathered(visited=100_000))}
    assert told["Plan digest"] == "ab" * 32 and told["Ports"] == "104, 11112"
    assert told["Target space"] == "1,000,000 addresses, 100,000 visited"
    assert told["Dates"] == "2026-06-20 00:00 to 2026-06-20 05:00 UTC" and told["Probes"] == "200,000"
    assert told["Countries"].startswith("made up, built 2026-06-17") and told["Vantages"] == "1"


def sent(profile: str = "echo", **counts: int | None) -> str:
    """The text of the section for a sweep with these counts in each of two receipts."""
    sweep: dict[str, Any] = demo.sweep_row(1_000_000, 0) | {"profile": profile, "probes_sent": 2_000_000}
    con = lake.connect(sweeps=[sweep], receipts=[{"probes_abandoned": 0} | counts] * 2)
    return " ".join(method_section.sent(gather(con, lake.SWEEP, names=())))  # no mart has what was sent


def test_every_syn_is_reported() -> None:
    """Each kind of SYN that was sent is reported with its count, and a kind that was not sent is not mentioned."""
    kinds = {
        "second_probes": "20 targets got a second SYN",
        "control_probes": "20 addresses got a SYN on a port where nothing should answer",
        "harm_probes": "20 further SYNs checked whether hosts still answered",
        "companion_probes": "20 SYNs without data went to other ports of hosts that had spoken DICOM",
        "probes_abandoned": "20 SYNs more left in these earlier attempts",
        "syn_retransmits": "repeated 20 SYNs that got no answer",
        "late_deadlines": "In 20 conversations the scanning machine was more than a second late",
        "handshakes": "In 20 connections the association was attempted inside TLS",
    }
    bare = sent()
    for count, sentence in kinds.items():
        assert sentence in sent(**{count: 10}) and sentence.partition("20 ")[2] not in bare
    assert bare.startswith("The sweep sent one SYN to each of 2,000,000 targets")
    assert "2 ranges of targets were run again" in sent(attempts=2) and "run again" not in sent(attempts=1)
    assert "A crash cut off 2 ranges of targets" in sent(probes_abandoned=None) and "crash" not in bare


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ("associate", "proposes only Verification and a release"),
        ("tls", "proposes only Verification and a release"),
        ("echo", "proposes only Verification, one C-ECHO if they accepted it, and a release"),
        ("capabilities", "proposes Verification and 12 other services (none of which was used) and a release"),
    ],
)
def test_the_request_is_that_of_the_profile(profile: str, text: str) -> None:
    """The section says that only hosts that answered got a request, and names the request of the profile."""
    assert f"Hosts that answered also got a request for an association that {text}" in sent(profile)


def test_second_visits_are_reported() -> None:
    """A sweep of profile `tls` reports that some hosts were visited twice; no other sweep does."""
    assert "got a second visit, inside TLS" in sent("tls") and "second visit" not in sent("echo")


def test_the_rate_is_that_of_sending() -> None:
    """The rate counts the time in which a sender sent: two at once count once, and pauses and later rounds not at all."""
    ranges = [(0, 10, 0), (5, 10, 0), (100, 30, 25)]
    receipts: list[dict[str, Any]] = [
        {
            "round": 1,
            "started_at": lake.WHEN + timedelta(seconds=at),
            "send_seconds": float(took),
            "paused_seconds": float(paused),
        }
        for at, took, paused in ranges
    ]
    receipts.append({"round": 4, "started_at": lake.WHEN, "send_seconds": 1000.0})
    con = lake.connect(sweeps=[demo.sweep_row(1_000_000, 0) | {"probes_sent": 40_000}], receipts=receipts)
    told = {fact.term: fact.text for fact in method_section.table(gather(con, lake.SWEEP))}
    assert told["Probes"] == "40,000, on average 2,000 a second while sending"
