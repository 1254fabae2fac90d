"""Options that several commands share: one name, one meaning, one help text."""

from pathlib import Path
from typing import Annotated, Any

import typer

#: Headings of `--help`.
OUTPUT = "Output"
WATCHING = "Watching"


def _lake(named: str) -> str:
    """Return the lake that a configuration names, in place of the configuration."""
    if not named.endswith(".toml"):
        return named
    from pipeline.config.load import load_config

    return load_config(Path(named)).lake.url


Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML); docs/configuration.md.", show_default=False)
]
Lake = Annotated[
    str,
    typer.Argument(
        metavar="LAKE", callback=_lake, show_default=False,
        help="The lake: a folder, s3://BUCKET/PREFIX, or a configuration (TOML) whose [lake] url names it.",
    ),
]  # fmt: skip
CitedLake = Annotated[
    str,
    typer.Argument(
        metavar="LAKE|CONFIG", show_default=False,
        help="The lake: a folder, s3://BUCKET/PREFIX, or a configuration (TOML), whose section [release] then counts.",
    ),
]  # fmt: skip
Register = Annotated[
    str,
    typer.Argument(
        metavar="LAKE|FILE", callback=_lake, show_default=False,
        help="The lake whose sweeps obey the register, or its configuration (TOML); or the register: a file or an s3:// URL.",
    ),
]  # fmt: skip


def licence_option(panel: str) -> Any:
    """The option for the licence of what is published, under a heading of `--help`."""
    return typer.Option(
        metavar="SPDX",
        help="Licence of numbers and figures, e.g. CC-BY-4.0.",
        show_default=False,
        rich_help_panel=panel,
    )


#: What is merged in what is published; a command that has it under a heading of its own takes the text alone.
MIN_CELL = "Merge per-country cells with fewer services than this."
MinCell = Annotated[int, typer.Option(help=MIN_CELL)]
SweepId = Annotated[str | None, typer.Option("--sweep", help="Id of the sweep; the latest if not given.")]
Metrics = Annotated[
    str | None,
    typer.Option(
        metavar="[HOST:]PORT", help="Serve metrics for Prometheus; HOST is 127.0.0.1 if not given.",
        rich_help_panel=WATCHING,
    ),
]  # fmt: skip
Progress = Annotated[
    bool, typer.Option("--json", help="Print progress as JSON lines on standard output.", rich_help_panel=OUTPUT)
]
Who = Annotated[str, typer.Option(help="Who decided it; the login name if not given.")]
