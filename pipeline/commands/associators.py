"""`census associate` and `keys`: associators on other machines."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Lake, SweepId


def associate(
    lake: Lake,
    name: Annotated[str, typer.Option(help="Name that `census keys` gave this machine.", show_default=False)],
    worker: Annotated[
        str,
        typer.Option(metavar="URL", help="Where the worker listens, e.g. tcp://192.0.2.1:7100.", show_default=False),
    ],
    keys: Annotated[Path, typer.Option(help="Folder with NAME.key_secret and worker.key.")] = Path("keys"),
    sweep_id: SweepId = None,
) -> None:
    """Open associations for a worker on another machine.

    \b
    census work plan.json --associator north=tcp://192.0.2.1:7100 --keys keys/       on the worker's machine
    census associate LAKE --name north --worker tcp://192.0.2.1:7100 --keys keys/    here

    Takes its part of TLS, second and capability visits, and ends with the worker. The connection is encrypted; the worker
    accepts only keys that it has (docs/remote-associators.md).
    """
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.sweep import freeze
    from pipeline.worker import remote_associator

    sweep = layout.open_sweep(store.at(lake), sweep_id)
    freeze.check(sweep.plan)
    remote_associator.associate(sweep, name=name, url=worker, keys=keys)
    show.message(f"{sweep.paths.id}: the worker has no more visits to hand on")


def keys(
    folder: Annotated[Path, typer.Argument(help="Folder for the keys.", show_default=False)],
    associators: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Associators that get keys.")
    ] = None,
) -> None:
    """Make CURVE keys for a worker and its associators.

    \b
    census keys keys/ north south

    Each associator needs its own NAME.key_secret and worker.key: move them to its machine and delete the secret here. Removing
    associators/NAME.key revokes it. Never overwrites a key (exit code 2).
    """
    from pipeline.console import show
    from pipeline.transport import keys as curve

    for path in curve.create(folder, associators or []):
        show.message(str(path))
