"""How `--help` is laid out: commands and options under headings, in plain text.

Typer knows headings (`rich_help_panel`) only for its boxes; here they are sections of the plain page.
"""

from collections.abc import Iterable
from typing import Any

import typer.core

#: The heading of what names none.
COMMANDS = "Commands"
OPTIONS = "Options"

#: Both names of the option; commands below have those of the program.
HELP = {"help_option_names": ["-h", "--help"]}
#: Longer than any summary: a summary is wrapped, never cut.
WHOLE = 1000

Row = tuple[str, str]


class Group(typer.core.TyperGroup):
    """Commands that are listed by heading, in the order in which they were added."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section of commands for each heading."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        rows = ((_heading(each, COMMANDS), (name, each.get_short_help_str(WHOLE))) for name, each in commands)
        _write(rows, formatter)


class Command(typer.core.TyperCommand):
    """A command whose options are listed by heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section of arguments, and one of options for each heading."""
        rows = []
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                fallback = "Arguments" if parameter.param_type_name == "argument" else OPTIONS
                rows.append((_heading(parameter, fallback), row))
        _write(rows, formatter)


def _heading(item: object, fallback: str) -> str:
    return getattr(item, "rich_help_panel", None) or fallback


def _write(rows: Iterable[tuple[str, Row]], formatter: Any) -> None:
    """Write rows under their headings, each heading where it first comes."""
    sections: dict[str, list[Row]] = {}
    for heading, row in rows:
        sections.setdefault(heading, []).append(row)
    for heading, section in sections.items():
        with formatter.section(heading):
            formatter.write_dl(section)
