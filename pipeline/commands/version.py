"""`census --version`: which program this is, and what it runs on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

#: Distributions whose version changes what the program does.
LIBRARIES = ("duckdb", "maxminddb", "msgspec", "numpy", "prefect", "pyarrow", "pynetdicom", "pyzmq")


def lines() -> list[str]:
    """The version with the digest of the code, as plans name it; then what it runs on, a line each."""
    from pipeline import checkout

    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return [
        f"census {checkout.code()}",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}",
        libraries,
    ]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _print(requested: bool) -> None:
    if requested:
        from pipeline.console import output

        output.text("\n".join(lines()))
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "-V", "--version", callback=_print, is_eager=True, help="Print the version, and those of what it runs on."
    ),
]
