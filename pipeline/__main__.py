"""The command line: a table of commands, and errors turned into one line and an exit code.

Each command imports what it needs when it runs, so that `census --help` does not wait for heavy packages.
"""

import signal
import sys

import typer

from pipeline.commands import associators, audits, lab, optouts, results, sweeps
from pipeline.errors import CensusError, InputError, Interrupted

#: In the order in which `census --help` lists them.
COMMANDS = (
    audits.audit,
    *(sweeps.plan, sweeps.work, associators.associate, associators.keys, sweeps.sweep, sweeps.status, sweeps.verify),
    *(results.enrich, results.resolve, results.reparse, results.report, results.sql),
    *(optouts.optout, optouts.quarantine, optouts.stop, optouts.go, optouts.rate),
    *(lab.calibrate, lab.identity),
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Count the DICOM services that answer on the Internet: plan, sweep, verify, report.\n\n"
    "Try `make demo` for a whole sweep of a closed, simulated Internet. "
    "Exit codes: 0 done, 1 the program failed, 2 the input is wrong, 3 stopped by a guard rail, 130 interrupted.",
)
app.add_typer(lab.app, name="testbed")
app.add_typer(audits.app, name="own")
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; errors become one line and their exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)  # an Exit is returned as its code
    except (KeyboardInterrupt, typer.Abort):
        code = Interrupted.exit_code
    except CensusError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            reason = error.format_message() if hasattr(error, "format_message") else str(error)
            _fail(str(InputError("command line", reason or "no command; --help lists them")), 2)
        raise
    if code == Interrupted.exit_code:
        _fail("interrupted; the state is saved, run it again (`census sweep` with --resume) to finish the rest", code)
    sys.exit(code)


def _fail(message: str, code: int) -> None:
    print(f"census: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
