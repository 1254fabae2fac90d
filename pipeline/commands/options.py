"""Options that several commands share: one name, one meaning, one help text."""

from typing import Annotated

import typer

Lake = Annotated[str, typer.Argument(help="The lake: a folder, or s3://BUCKET/PREFIX.", show_default=False)]
RegisterFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The register, e.g. lake/optout.jsonl, or an s3:// URL.", show_default=False),
]
Metrics = Annotated[
    str | None,
    typer.Option(metavar="[HOST:]PORT", help="Serve metrics for Prometheus; HOST is 127.0.0.1 by default."),
]
SweepId = Annotated[str | None, typer.Option("--sweep", help="Sweep id; the latest sweep by default.")]
