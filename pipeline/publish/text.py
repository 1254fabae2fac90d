"""The same tables for a terminal. Whatever is not plain text is written as its code, and nothing is markup."""

import duckdb
from rich.table import Table
from rich.text import Text

from pipeline.publish import page, report
from pipeline.publish.edition import Edition
from pipeline.publish.escape import visible
from pipeline.publish.facts import Facts, gather

#: A terminal is the operator's own: no cell is withheld.
WHOLE = Edition(least=1)


def facts(con: duckdb.DuckDBPyConnection, sweep: str) -> Facts:
    """What the tables are made of; no cell is withheld."""
    return gather(con, sweep, WHOLE)


def country_table(facts: Facts) -> Table:
    """The countries in which services were found."""
    return _table(facts, "countries")


def products(facts: Facts) -> Table:
    """What the exposed services say they are."""
    return _table(facts, "products")


def funnel(facts: Facts) -> Table:
    """How many targets pass each step."""
    drawn = Table(title=_text("Funnel"))
    drawn.add_column(_text("Step"))
    drawn.add_column(_text("Targets"), justify="right")
    drawn.add_column(_text("Of the step before"), justify="right")
    for step in report.funnel(facts):
        drawn.add_row(*(_text(str(step[key])) for key in ("label", "count", "passed")))
    return drawn


def _table(facts: Facts, mart: str) -> Table:
    table = next(table for table in page.tables(facts) if table.mart == mart)
    drawn = Table(title=_text(table.title))
    for heading in table.headings:
        drawn.add_column(_text(heading.text), justify="right" if heading.numeric else "left")
    for row in table.rows:
        drawn.add_row(*(_text(cell.text) for cell in row))
    return drawn


def _text(text: str) -> Text:
    return Text(visible(text))
