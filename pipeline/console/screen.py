"""Tables and live views: Rich's console, in which data is never markup and no character reaches the terminal unseen."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from pipeline.untrusted import visible

#: Columns of a table that is written to a file or a pipe, where no screen limits it.
PIPE_COLUMNS = 200


class Screen(Console):
    """A console that prints what it is given, each text as it reads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with every hidden character of a text as its code; Rich's own controls are no text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible.lines(segment.text))


#: Where progress goes; quiet with `-q`.
errors = Screen(stderr=True)


def results() -> Screen:
    """Where results go: as wide as the screen, or PIPE_COLUMNS wide where there is none."""
    return Screen(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
