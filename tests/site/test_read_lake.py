"""What a site reads of a lake."""

from pathlib import Path

from pipeline.publish import cells, gather
from pipeline.publish.disclosure_rules import FOLLOWED
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import headline, sentences
from pipeline.site import read_lake
from pipeline.views import connection
from tests.publish import history
from tests.site.conftest import read, sweeps

#: What sentences about more than two sweeps say.
OVER_SWEEPS = (
    "still answered at the same address",
    "services were missing",
    "systems without likely decoys",
    "recognised at no address",
    "still existed on",
)


def test_two_sweeps_alone_give_what_the_whole_lake_gives(tmp_path: Path) -> None:
    """Headline, sentences and tables of a sweep are those of its report, except what is about more than two sweeps.

    Sweeps that are read together do not see each other.
    """
    lake = tmp_path / "lake"
    history.write(lake, [sweep for sweep in sweeps(4) if sweep.name == "weekly"])
    ready, others = read_lake.sealed(lake)
    facts = read(read_lake.history(ready, Scope()), ready)
    with connection.connect(lake) as con:
        report = gather.gather(con, ready[-1].id, Scope())
    assert not others and headline(facts) == headline(report)
    whole = list(sentences(report))
    assert [sentence for sentence in whole if sentence not in list(sentences(facts))] == [
        sentence for sentence in whole if any(words in sentence for words in OVER_SWEEPS)
    ]
    tables = {table.mart: table for table in cells.tables(facts)}
    for table in cells.tables(report):
        if table.mart not in ("changes", "cohorts", "returns", "survival", "vantages", *FOLLOWED):
            assert tables[table.mart] == table
    assert facts.series == report.series and facts.trend == report.trend
    british = gather.of_country(facts, "GB")
    assert [row["services"] for row in british.series] == [
        sum(host.country == "GB" for host in sweep.seen) for sweep in sweeps(4) if sweep.name == "weekly"
    ]
    assert {row["country"] for mart in british.marts.values() for row in mart.rows if "country" in row} == {"GB"}
