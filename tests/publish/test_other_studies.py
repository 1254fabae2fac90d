"""What other studies counted, and what each would have counted of this sweep."""

import csv

from pipeline import checkout
from pipeline.publish import cells, other_studies
from pipeline.publish.scope import Scope
from tests.publish import demo
from tests.publish.history import gathered

LAST = "20260629T030000Z-weekly"


def test_both_numbers_are_said() -> None:
    """A sentence has the newest study of each rule with what it published, and what its rule counts of this sweep."""
    (said,) = other_studies.sentences(gathered(LAST))
    assert "83 by the rule of Trend Micro by Shodan (2026: 3,627)" in said
    assert "133 by the rule of NuClide in cloud networks (2026: 39)" in said
    table = cells.table(gathered(LAST), "as_published")
    assert len(table.rows) == 11 and "over 30" in [cell.text for row in table.rows for cell in row]


def test_an_edition_has_the_counts_of_its_country() -> None:
    """The edition of the United Kingdom has the count that was made there; a sample has none."""
    (row,) = other_studies.rows(gathered(LAST, Scope(country="GB")))
    assert row["country"] == "United Kingdom" and row["study"] == "Rapid7 Labs"
    assert other_studies.rows(gathered(LAST, Scope(country="DE"))) == []
    assert other_studies.rows(demo.gathered(visited=100_000)) == []


def test_every_count_has_a_source() -> None:
    """Each row of the table names a study from 2016 on, its number, a known rule, and where it was published."""
    with (checkout.REFERENCE / "published.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [row["published"] for row in listed] == sorted(row["published"] for row in listed)
    for row in listed:
        assert 2016 <= int(row["published"]) <= 2026 and int(row["published_count"]) > 0
        assert row["counted_as"] in other_studies.RULES and row["source"] and row["unit"] in {"services", "addresses"}
