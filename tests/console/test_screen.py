"""What Rich prints is what the data is: no markup, no escapes, no emoji codes."""

import io

from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.console.screen import Screen

HOSTILE = "[bold]b[/bold] [/nothing] :bomb: \x1b[31mred\x9b1m abc\u202egnp"


def printed(*renderables: object) -> str:
    out = io.StringIO()
    screen = Screen(file=out, force_terminal=True, width=200, color_system=None)
    for renderable in renderables:
        screen.print(renderable)
    return out.getvalue()


def test_strings_cells_and_titles() -> None:
    """Markup is text, and hidden characters are codes, wherever in a table they stand."""
    table = Table(HOSTILE, title=HOSTILE, caption=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE))
    for text in (printed(HOSTILE), printed(table)):
        assert "[bold]b[/bold] [/nothing] :bomb: \\x1b[31mred\\x9b1m abc\\u202egnp" in text
        assert not {"\x9b", "\u202e"} & set(text) and "\x1b[31m" not in text


def test_a_live_view_survives_a_reason() -> None:
    """A reason that holds markup does not end the live display."""
    out = io.StringIO()
    with Live(console=Screen(file=out, force_terminal=True, width=200, color_system=None), auto_refresh=False) as live:
        live.update(f"paused: {HOSTILE}", refresh=True)
    assert "paused: [bold]b[/bold] [/nothing]" in out.getvalue()
