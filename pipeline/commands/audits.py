"""The commands of who audits ranges of one's own: `census audit`, `census own key`, `census own sign`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Sign the list of one's own ranges, which `census audit` and the profile `capabilities` need.",
)


@app.command()
def key(
    private: Annotated[Path, typer.Argument(help="The private key, which stays with the owner.")] = Path("owner.key"),
    public: Annotated[Path, typer.Argument(help="The public key, which is given away.")] = Path("owner.pem"),
) -> None:
    """Make the owner's key: an Ed25519 pair in PEM. What is there already is never overwritten.

    \b
    census own key owner.key owner.pem
    """
    from pipeline.console import show
    from pipeline.sweep import sign

    sign.make_key(private, public)
    show.say(f"{private} signs and stays with the owner (mode 0600); {public} is given to who audits")


@app.command()
def sign(
    ranges: Annotated[Path, typer.Argument(help="The list: a block, range or address a line.", show_default=False)],
    private: Annotated[Path, typer.Option("--key", help="The owner's private key.")] = Path("owner.key"),
    signature: Annotated[
        Path | None, typer.Option("-o", "--output", help="The signature; the list's name and .sig if not given.")
    ] = None,
) -> None:
    """Sign a list of ranges. A list that is changed afterwards has to be signed again.

    \b
    census own sign ranges.txt --key owner.key
    """
    from pipeline.console import show
    from pipeline.sweep import sign as signing

    target = signature or ranges.with_name(f"{ranges.name}.sig")
    count = signing.sign(ranges, private, target).count
    show.say(f"{target}: signature over {count:,} addresses of {ranges}")


def audit(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML) with section [own].", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the report, readable by you alone.")
    ] = Path("audit"),
    lake: Annotated[Path | None, typer.Option(help="Folder of the lake; [lake] url if not given.")] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Send nothing: report a sweep that is finished in the lake.")
    ] = False,
    sweep: Annotated[
        str | None, typer.Option("--sweep", help="With --report-only: which; the latest if not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON lines.")] = False,
) -> None:
    """Audit one's own ranges: sweep those that their owner signed, and report each service with its address. Confidential.

    \b
    census audit audit.toml -o audit/
    census audit audit.toml -o audit/ --report-only

    Without a signed list, or with one address outside of it, it ends with exit code 3 and nothing is sent. Run it again
    to finish one that was interrupted. Report and lake are readable by you alone; docs/audit.md goes step by step.
    """
    from pipeline import config as settings
    from pipeline.console import progress, show
    from pipeline.sweep import freeze, run
    from pipeline.sweep import own_audit as auditing

    auditing.keep_private()
    folder = lake or Path(settings.load(config).lake.url)
    if report_only:
        audited = auditing.finished(folder, sweep)
        auditing.require_private(output)
    else:
        plan = auditing.audit_plan(config, folder)
        freeze.check(plan)
        auditing.require_private(output)
        show.warn(freeze.findable(plan))
        audited = run.begin(plan, folder)
        with progress.watching(audited):
            auditing.run(audited)
    found, written = auditing.report(audited, output)
    show.show_audit(found, as_json=json)
    for path in written:
        show.say(str(path))
