"""The report of an audit: its findings, and its protection against text from peers."""

import csv
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.publish import audit
from pipeline.publish.audit import Audit
from tests import owner
from tests.publish import audited


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audited.gathered(tmp_path_factory.mktemp("audit"))


def tags(page: str) -> list[str]:
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    return seen


def test_the_gravest_comes_first(found: Audit) -> None:
    """Services are sorted by their most severe finding, and each is counted once."""
    ranks = [list(audit.Severity).index(service.severity) for service in found.services]
    assert ranks == sorted(ranks) and sum(found.counts().values()) == len(found.services) == 13
    assert found.headline() == "12 DICOM services on 12 addresses answered an unknown client"


def test_each_rule_says_where(found: Audit) -> None:
    """A finding lists the services to which it applies: old TLS, an expired certificate and a title check apply to one each."""
    where = {rule.id: [service.endpoint for service in services] for rule, services in found.findings()}
    assert len(where["query-open"]) == 10
    for rule in ("old-tls", "certificate-out-of-date", "self-signed", "no-client-certificate"):
        assert where[rule] == ["193.62.0.92:2762"]
    assert where["called-title-checked"] == ["193.62.0.91:104"] and where["port-open"] == ["193.62.0.93:104"]
    assert "193.62.0.92:2762" not in where["unencrypted"]


def test_what_was_signed_is_shown(found: Audit) -> None:
    """The page says who signed for whom, for which profiles, and from which day until which."""
    page = " ".join(re.sub("<[^>]+>", " ", audit.html(found)).split())
    day = datetime.now(UTC).date()
    for shown in (
        f"Signed by {owner.OWNER}",
        "Signed for census@example.org",
        "Signed profiles associate, echo, tls, capabilities",
        f"Signed from {day - timedelta(days=1)}",
        f"Signed until {day + timedelta(days=300)}",
    ):
        assert shown in page


def test_hostile_names_are_text(found: Audit) -> None:
    """Markup, escapes, direction marks and 64 kB from a peer become short text on the page, which has no script at all."""
    page = audit.html(found)
    assert not {"script", "img", "b"} & set(tags(page))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and r"\x1b[31mred\x07" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", page)
    assert "65,535 characters" in page and len(page) < 200_000


def test_no_cell_is_a_formula(found: Audit) -> None:
    """No text in the CSV begins like a spreadsheet formula, although owner and peers tried; every row is marked."""
    rows = list(csv.DictReader(audit.csv_text(found).splitlines()))
    assert {row["marking"] for row in rows} == {"CONFIDENTIAL"}
    assert not [cell for row in rows for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert (
        any("=cmd" in row["declares"] for row in rows)
        and max(len(cell) for row in rows for cell in row.values()) < 3000
    )


def test_nothing_hidden_reaches_the_terminal(found: Audit) -> None:
    """The printed summary has no control character and no long text."""
    assert all(cell.isprintable() and len(cell) < 3000 for line in audit.summary(found) for cell in line)


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """The report of an audit in which no port answered states that nothing answered."""
    found = audited.gathered(tmp_path)
    nothing = Audit(found.sweep, found.owner, found.signed, (), found.started, found.finished, found.method)
    assert (
        nothing.headline() == "Nothing answered an unknown client"
        and "no port of these ranges answered" in audit.html(nothing)
    )
