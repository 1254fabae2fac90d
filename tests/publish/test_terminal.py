"""Tables for a terminal."""

import io

import pytest
from rich.console import Console

from pipeline.publish import terminal
from tests.analysis import lake
from tests.publish import demo


def printed(table: object) -> str:
    """The text that a terminal would receive."""
    console = Console(file=io.StringIO(), width=160, force_terminal=False)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_country_table_names_countries() -> None:
    """Countries are shown by name with their counts, and services without a country as `not placed`."""
    shown = printed(terminal.country_table(terminal.facts(demo.connect(), lake.SWEEP)))
    assert "United Kingdom" in shown and "not placed" in shown and "600,000" in shown


@pytest.mark.parametrize("width", [30, 80, 100, 160])
def test_a_narrow_screen_has_fewer_columns(width: int) -> None:
    """On a narrow screen columns on the right are left out and counted; no heading and no number is cut or wrapped."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    table = terminal.country_table(terminal.facts(demo.connect(), lake.SWEEP), width)
    whole = terminal.country_table(terminal.facts(demo.connect(), lake.SWEEP))
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width and "…" not in "".join(lines)
    assert len([line for line in lines if line.startswith("│")]) == table.row_count == whole.row_count
    left_out = len(whole.columns) - len(table.columns)
    assert (f"further columns on a wider screen: {left_out}" in " ".join(" ".join(lines).split())) == (left_out > 0)


def test_it_reads_what_it_shows() -> None:
    """The tables from the marts that they need are those from all marts."""
    con, drawn = demo.connect(), (terminal.country_table, terminal.funnel_table, terminal.products)
    facts, whole = terminal.facts(con, lake.SWEEP), demo.gathered(terminal.WHOLE)
    assert [printed(table(facts)) for table in drawn] == [printed(table(whole)) for table in drawn]
    assert not facts.marts["implementations"].rows and whole.marts["implementations"].rows


def test_funnel_says_what_was_not_asked() -> None:
    """A step that the profile leaves out is shown as not requested, not as zero."""
    assert "not requested" in printed(terminal.funnel_table(terminal.facts(demo.connect(), lake.SWEEP)))


def test_peers_cannot_write_to_the_terminal() -> None:
    """Escapes are shown as codes, and a peer's square brackets are not interpreted as markup."""
    shown = printed(terminal.products(terminal.facts(demo.connect(), lake.SWEEP)))
    assert "\x1b" not in shown and "\x07" not in shown and r"\x1b[31mred\x07" in shown
    assert "[bold]b[/bold]" in shown
    assert shown.count("<b>=a|") < 50 and "65,535" in shown
