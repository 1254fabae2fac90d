"""Options in place of keys of the configuration, with the names that ZMap gives them, and the longest time to run."""

import re
from typing import Annotated, Any

import typer

from pipeline.errors import InputError

#: The heading of `--help`.
INSTEAD = "Instead of the configuration's keys"
#: Units of a time, in seconds.
SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|)", text.strip(), re.ASCII)
    if not match or not float(match[1]):
        raise InputError("--max-runtime", f"{text!r} is not a time; write seconds, or e.g. 90m or 2h")
    return float(match[1]) * SECONDS[match[2]]


Rate = Annotated[
    int | None, typer.Option(metavar="PROBES", help="Probes a second; [sweep] rate.", rich_help_panel=INSTEAD)
]
Ports = Annotated[
    str | None,
    typer.Option(metavar="PORTS", help="Ports, e.g. 104,11112 or 4000-4010; [sweep] ports.", rich_help_panel=INSTEAD),
]
Sample = Annotated[
    str | None,
    typer.Option(
        metavar="N|SHARE",
        help="Number of addresses, or a share, e.g. 0.01 or 1%; [sweep] sample.",
        rich_help_panel=INSTEAD,
    ),
]
MaxRuntime = Annotated[
    float | None,
    typer.Option(
        metavar="TIME", parser=_seconds,
        help="Stop sending after this time, e.g. 2h, and end in an orderly way (exit code 130); --resume continues.",
    ),
]  # fmt: skip


def overrides(rate: int | None, ports: str | None, sample: str | None) -> dict[str, dict[str, Any]]:
    """The keys that options give, by section. Raises InputError naming the option."""
    values = {
        "rate": rate,
        "ports": None if ports is None else _ports(ports),
        "sample": None if sample is None else _sample(sample),
    }
    given = {key: value for key, value in values.items() if value is not None}
    return {"sweep": given} if given else {}


def _ports(text: str) -> list[int]:
    ports: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part.strip(), re.ASCII)
        if not match:
            raise InputError("--ports", f"{part!r} is not a port or a range; write e.g. 104,11112 or 4000-4010")
        ports += range(int(match[1]), int(match[2] or match[1]) + 1)
    return ports


def _sample(text: str) -> float | int:
    """A whole number counts addresses; a share has a point or a percent sign."""
    try:
        if text.endswith("%"):
            return float(text.removesuffix("%")) / 100
        return float(text) if "." in text else int(text)
    except ValueError:
        raise InputError("--sample", f"{text!r} is not a number or a share; write e.g. 10000, 0.01 or 1%") from None
