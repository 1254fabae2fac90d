"""The command line: a table of commands, and errors turned into one line and an exit code.

Each command imports what it needs when it runs, so that `census --help` does not wait for heavy packages.
"""

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pipeline import host, logs
from pipeline.commands import (
    associators,
    audits,
    doctor,
    lab,
    notify,
    optouts,
    reference,
    releases,
    results,
    site,
    sweeps,
)
from pipeline.commands.help import HELP, Command, Group
from pipeline.commands.interruption import Interruption
from pipeline.commands.verbosity import Quiet, Verbose, passed_on, with_verbosity
from pipeline.commands.version import Version
from pipeline.errors import CensusError, InputError, Interrupted

#: Headings of `census --help`, and the commands under each in the order in which they are used.
COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Run a sweep": (sweeps.plan, sweeps.work, sweeps.sweep, sweeps.status, sweeps.sweeps, sweeps.verify),
    "Get its results": (
        results.enrich,
        results.resolve,
        results.reparse,
        results.report,
        site.site,
        results.results,
        results.sql,
        releases.release,
    ),
    "Inform those who can act": (notify.notify,),
    "Respect opt-outs, pause and slow down": (
        optouts.optout,
        optouts.quarantine,
        optouts.stop,
        optouts.go,
        optouts.rate,
    ),
    "Set up": (doctor.doctor, reference.refresh, lab.identity, lab.calibrate, associators.associate, associators.keys),
    "Audit your own ranges": (audits.audit,),
}

#: What is printed if a signal ends a command. `census testbed run` handles signals itself, and leaves that to its command.
INTERRUPTED = "interrupted; the state is saved, run it again (`census sweep` with --resume) to finish the rest"

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    context_settings=HELP,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Count the DICOM services that answer on the Internet: plan, sweep, verify, report.\n\n"
    "Try `make demo` for a whole sweep of a closed, simulated Internet. `census COMMAND --help` shows examples.\n\n"
    "Exit codes: 0 done, 1 the program failed, 2 the input is wrong, 3 stopped by a guard rail, 130 interrupted. "
    "docs/errors.md lists every error.",
)
for heading, commands in COMMANDS.items():
    for command in commands:
        app.command(cls=Command, rich_help_panel=heading)(with_verbosity(command))
app.add_typer(lab.app, name="testbed", rich_help_panel="Set up")
app.add_typer(audits.app, name="own", rich_help_panel="Audit your own ranges")


@app.callback()
def options(
    context: typer.Context,
    log_format: Annotated[
        logs.LogFormat,
        typer.Option(envvar=logs.VARIABLE, help="Format of progress, warnings and errors on standard error."),
    ] = logs.LogFormat.TEXT,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Version = False,
) -> None:
    """Set what holds for every command and the processes that it starts."""
    os.environ[logs.VARIABLE] = log_format
    context.default_map = passed_on(context.command, {"quiet": quiet, "verbose": verbose})


def main() -> None:
    """Run the command line; an error becomes one line and its exit code."""
    interruption = Interruption()
    interruption.install()
    sys.excepthook = logs.crash
    host.find_system_programs()
    try:
        code = app(prog_name="census", standalone_mode=False)  # an Exit is returned as its code
    except (KeyboardInterrupt, typer.Abort):
        _fail(INTERRUPTED, Interrupted.exit_code)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except CensusError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            reason = error.format_message() if hasattr(error, "format_message") else str(error)
            _fail(str(InputError("command line", reason or "no command; --help lists them")), 2)
        raise
    if interruption.happened:  # typer returns the code 130, without a word
        _fail(INTERRUPTED, Interrupted.exit_code)
    sys.exit(code)


def _fail(message: str, code: int) -> None:
    logs.error(message, exit_code=code)
    sys.exit(code)
