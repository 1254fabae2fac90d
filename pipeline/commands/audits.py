"""`census audit`, `census own key` and `census own sign`: for owners who audit their own ranges."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.help import Command, Group
from pipeline.commands.options import OUTPUT
from pipeline.commands.verbosity import with_verbosity
from pipeline.words.plural import plural

REPORT_ONLY = "Report a finished sweep"

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Sign the list of your own ranges.\n\n`census audit` and the profile `capabilities` need it (docs/own-ranges.md).",
)


@app.command(cls=Command)
@with_verbosity
def key(
    private: Annotated[Path, typer.Argument(help="The private key, which stays with the owner.")] = Path("owner.key"),
    public: Annotated[Path, typer.Argument(help="The public key, for the auditor.")] = Path("owner.pem"),
) -> None:
    """Make the owner's key: an Ed25519 pair in PEM.

    \b
    census own key owner.key owner.pem

    Never overwrites a file (exit code 2). The private key is readable by its user alone.
    """
    from pipeline.console import show
    from pipeline.plan import own_ranges

    own_ranges.make_key(private, public)
    show.message(f"{private} signs and stays with the owner (mode 0600); give {public} to the auditor")


@app.command(cls=Command)
@with_verbosity
def sign(
    ranges: Annotated[Path, typer.Argument(help="The list: a block, range or address a line.", show_default=False)],
    private: Annotated[Path, typer.Option("--key", help="The owner's private key.")] = Path("owner.key"),
    signature: Annotated[
        Path | None, typer.Option("-o", "--output", help="The signature; the list's name and .sig if not given.")
    ] = None,
) -> None:
    """Sign a list of ranges.

    \b
    census own sign ranges.txt --key owner.key

    Writes ranges.txt.sig. The signature covers every byte of the list: sign it again after any change.
    """
    from pipeline.console import show
    from pipeline.plan import own_ranges as signing

    target = signature or ranges.with_name(f"{ranges.name}.sig")
    count = signing.sign(ranges, private, target).count
    show.message(f"{target}: signature over {plural(count, 'address', 'addresses')} of {ranges}")


def audit(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML) with section [own].", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder for the report, readable by you alone.", rich_help_panel=OUTPUT),
    ] = Path("audit"),
    json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON lines.", rich_help_panel=OUTPUT)
    ] = False,
    lake: Annotated[Path | None, typer.Option(help="Folder of the lake; [lake] url if not given.")] = None,
    report_only: Annotated[
        bool,
        typer.Option("--report-only", help="Send nothing: report a finished sweep.", rich_help_panel=REPORT_ONLY),
    ] = False,
    sweep_id: Annotated[
        str | None,
        typer.Option("--sweep", help="Id of that sweep; the latest if not given.", rich_help_panel=REPORT_ONLY),
    ] = None,
) -> None:
    """Audit your own ranges: sweep them, report each service.

    \b
    census audit audit.toml -o audit/
    census audit audit.toml -o audit/ --report-only

    Sweeps the ranges that their owner signed, and writes a confidential report with the address of each service. Run it again
    to finish an audit that was interrupted. Report and lake are readable by you alone; docs/audit.md goes step by step.

    Exit code 3: the list is not signed, or a target is not in it; nothing was sent.
    """
    from pipeline.config.load import load_config
    from pipeline.console import progress, show
    from pipeline.publish.folder import require_private
    from pipeline.sweep import freeze, run
    from pipeline.sweep import own_audit as auditing
    from pipeline.worker import engine_choice

    auditing.keep_private()
    folder = lake or Path(load_config(config).lake.url)
    if report_only:
        audited = auditing.finished(folder, sweep_id)
        require_private(output)
    else:
        plan = auditing.audit_plan(config, folder)
        freeze.check(plan)
        require_private(output)
        show.warn(freeze.warnings(engine_choice.choose(plan).plan, show.message))
        audited = run.begin(plan, folder)
        with progress.watching(audited):
            auditing.run(audited)
    findings, files = auditing.report(audited, output)
    show.audit(findings, as_json=json)
    for path in files:
        show.message(str(path))
