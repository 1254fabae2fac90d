"""The tables of a report for a terminal. Characters that are not plain text are written as their codes; nothing is markup."""

from collections.abc import Iterator
from itertools import accumulate, islice

import duckdb
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from pipeline.publish import cells, funnel
from pipeline.publish.data import Facts
from pipeline.publish.gather import gather
from pipeline.publish.scope import Scope
from pipeline.publish.sentences import simulated
from pipeline.untrusted.visible import visible

#: A terminal is the operator's: no cell is merged.
WHOLE = Scope(min_cell=1)
#: A screen that has room for every table, in characters.
WIDE = 1000
#: The width of a column besides its text: two blanks and a line.
FRAME = 3


def facts(con: duckdb.DuckDBPyConnection, sweep: str) -> Facts:
    """The data of the tables, and of no others; no cell is merged."""
    return gather(con, sweep, WHOLE, (*cells.BRIEF, "products"))


def banner(facts: Facts) -> Iterator[Text]:
    """The line that the tables begin with, if the sweep ran in a testbed."""
    text = simulated(facts)
    if text:
        yield _text(text)


def country_table(facts: Facts, width: int = WIDE) -> Table:
    """The countries with services, with as many columns as fit a screen of this width."""
    return _table(facts, "countries", width)


def products(facts: Facts) -> Table:
    """The products that the exposed services declare."""
    return _table(facts, "products")


def funnel_table(facts: Facts) -> Table:
    """How many targets pass each step."""
    drawn = Table(title=_text("Funnel"))
    drawn.add_column(_text("Step"))
    drawn.add_column(_text("Targets"), justify="right")
    drawn.add_column(_text(funnel.HEADINGS[2]), justify="right")
    for step in funnel.steps(facts):
        drawn.add_row(*(_text(str(step[key])) for key in ("label", "count", "passed")))
    return drawn


def _table(facts: Facts, mart: str, width: int = WIDE) -> Table:
    table = cells.table(facts, mart)
    columns = [
        [visible(text) for text in (heading.text, *(row[number].text for row in table.rows))]
        for number, heading in enumerate(table.headings)
    ]
    shown = _fitting(columns, width)
    more = f"further columns on a wider screen: {len(columns) - shown}" if shown < len(columns) else None
    drawn = Table(title=_text(table.title), caption=more)
    for heading, (name, *_) in zip(table.headings, columns[:shown], strict=False):
        drawn.add_column(Text(name), justify="right" if heading.numeric else "left")
    for row in islice(zip(*columns[:shown], strict=True), 1, None):
        drawn.add_row(*map(Text, row))
    return drawn


def _fitting(columns: list[list[str]], width: int) -> int:
    """How many columns, from the left, fit a screen; at least one."""
    ends = accumulate(FRAME + max(map(cell_len, column)) for column in columns)
    return max(1, sum(1 + end <= width for end in ends))


def _text(text: str) -> Text:
    return Text(visible(text))
