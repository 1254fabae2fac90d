"""`claims.csv`: what the report claims, the command that computes it again, and how long that takes."""

import csv
import io
from collections.abc import Iterator, Sequence

from pipeline.publish import figures
from pipeline.publish.data import Facts
from pipeline.publish.headings import TABLES
from pipeline.publish.sentences import headline
from pipeline.release.contents import MICRODATA, Content

#: A claim, its statement, its command, and an upper bound of its minutes.
Claim = tuple[str, str, str, int]
HEADINGS = ("claim", "statement", "command", "minutes")


def claims(facts: Facts, tables: Sequence[Content]) -> Iterator[Claim]:
    """Yield the headline, each table of the report that has a row, each of its figures, and the rows of services."""
    yield _claim("headline", headline(facts))
    for table in tables:
        if table.name in TABLES and table.rows:
            yield _claim(f"table:{table.name}", f"{TABLES[table.name][0]}: {table.question}")
    for figure in figures.figures(facts):
        yield _claim(f"figure:{figure.name}", figure.title)
    if any(table.name == MICRODATA for table in tables):
        yield _claim(MICRODATA, "No more rows of a country than it has services")


def _claim(name: str, statement: str) -> Claim:
    return name, statement, f"python reproduce.py {name}", 1


def csv_text(facts: Facts, tables: Sequence[Content]) -> str:
    """The claims as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADINGS)
    writer.writerows(claims(facts, tables))
    return stream.getvalue()
