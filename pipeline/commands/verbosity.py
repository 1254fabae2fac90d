"""`-q` and `-v`, which every command has: how much is printed on standard error."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from pipeline import logs
from pipeline.errors import CensusError

MESSAGES = "Messages"

Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Print results, warnings and errors alone.", rich_help_panel=MESSAGES),
]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Print where in the program an error arose.", rich_help_panel=MESSAGES)
]


def passed_on(command: Any, given: dict[str, bool]) -> dict[str, Any]:
    """Return the options that were given before the name of a command as the defaults of every command (click's `default_map`)."""
    commands = getattr(command, "commands", None)
    return {name: passed_on(below, given) for name, below in commands.items()} if commands else given


def with_verbosity(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options `-q` and `-v`."""

    @wraps(command)
    def run(*arguments: Any, quiet: bool, verbose: bool, **options: Any) -> None:
        if quiet:
            from pipeline.console import screen

            logs.hush()
            screen.errors.quiet = True
        try:
            command(*arguments, **options)
        except CensusError as error:
            if verbose:
                logs.crash(type(error), error, error.__traceback__)
            raise

    signature = inspect.signature(command, eval_str=True)
    added = {"quiet": Quiet, "verbose": Verbose}
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in added.items()
    ]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *keywords])  # type: ignore[attr-defined]
    run.__annotations__ = {**inspect.get_annotations(command, eval_str=True), **added}
    return run
