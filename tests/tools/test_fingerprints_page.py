"""The tables of the page about fingerprints are those of the rules and of the captures."""

import re

from pipeline.enrich import feature, ruleset
from tests.captures import FIXTURES, name
from tests.enrich import trials
from tools import fingerprints_page

TEXT = fingerprints_page.PAGE.read_text("utf-8")


def test_page_is_current() -> None:
    """`docs/fingerprints.md` has the tables of today: `make docs` writes them."""
    assert fingerprints_page.page(TEXT) == TEXT


def test_every_rule_is_told() -> None:
    """Each rule and each feature has one row, and each table its place on the page."""
    rules = ruleset.load()
    ids = [rule.id for part in (rules.identity_rules, rules.behaviours, rules.suspicions) for rule in part]
    rows = re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)
    assert all(rows.count(id) == ids.count(id) for id in ids)
    assert set(feature.FEATURES) <= set(rows)
    assert {place[1] for place in fingerprints_page.PLACE.findall(TEXT)} == set(fingerprints_page.TABLES)


def test_the_confusion_is_of_all_captures() -> None:
    """The confusion has a row for each captured product, and counts each captured answer to a request like ours."""
    section = TEXT.partition("<!-- confusion")[2].partition("<!-- end")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")][
        2:
    ]
    assert [row[0] for row in rows] == [product.name for product in trials.products()]
    answered = {one.capture for one in trials.answers()}
    assert sum(int(row[1]) for row in rows) == len(answered) <= len({name(row) for row in FIXTURES})
    assert sum(int(row[2]) for row in rows) == len(trials.answers())
