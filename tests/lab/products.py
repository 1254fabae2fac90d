"""The laboratory's table of servers, `products.toml`: what each is, how it is installed, configured and started."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TABLE = Path(__file__).parent / "products.toml"
SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True, slots=True)
class Installation:
    """Packages of one registry; `version` is that of the server.

    `release` is a Debian suite, or the Python that pip runs with; it is empty for npm.
    """

    registry: Literal["pip", "npm", "debian"]
    packages: tuple[str, ...]
    version: str
    release: str = ""

    @property
    def folder(self) -> str:
        """The name of a folder of its own."""
        return "-".join((self.registry, self.release, *self.packages)).replace("/", "-").replace("==", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A server in one configuration.

    In `command` and `files`, {folder} is the server's folder, {port} its port, {bin} where its programs are. `script` is a
    program of ours in `servers/`, for a library that brings no server; `without` lists the conversations that are left out.
    """

    id: str
    name: str
    configuration: str
    installation: Installation
    command: tuple[str, ...]
    port: int
    title: str
    package: str
    script: str = ""
    files: dict[str, str]
    environment: dict[str, str]
    without: tuple[str, ...] = ()


def load(path: Path = TABLE) -> dict[str, Product]:
    """The products by id. Raises TypeError or KeyError for a row that lacks a key or has an unknown one."""
    table = tomllib.loads(path.read_text("utf-8"))
    installations = {
        name: Installation(**(row | {"packages": tuple(row["packages"])}))
        for name, row in table["installation"].items()
    }
    rows = [product for row in table["product"] for product in _products(row, installations)]
    products = {product.id: product for product in rows}
    if len(products) != len(rows):
        raise ValueError(f"{path}: an id is given twice")
    return products


def _products(row: dict[str, Any], installations: dict[str, Installation]) -> Iterator[Product]:
    """One row, with each of its installations: {version} in its id is that of the installation."""
    values = {"files": {}, "environment": {}, "port": 11112} | row
    for name in ("command", "without"):
        values[name] = tuple(values.get(name, ()))
    for name in values.pop("installations"):
        installation = installations[name]
        identity = row["id"].replace("{version}", installation.version)
        yield Product(**(values | {"id": identity, "installation": installation}))
