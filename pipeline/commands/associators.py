"""`census associate` and `keys`: associators on other machines."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Lake, SweepId


def associate(
    lake: Lake,
    name: Annotated[str, typer.Option(help="The name that `census keys` knows this machine by.", show_default=False)],
    worker: Annotated[str, typer.Option(metavar="URL", help="Where the worker listens, e.g. tcp://192.0.2.1:7100.")],
    keys: Annotated[Path, typer.Option(help="Folder with NAME.key_secret and worker.key.")] = Path("keys"),
    sweep_id: SweepId = None,
) -> None:
    """Hold conversations for a worker on another machine: its part of TLS, second and capability visits.

    \b
    census work plan.json --associator north=tcp://192.0.2.1:7100 --keys keys/       on the worker's machine
    census associate LAKE --name north --worker tcp://192.0.2.1:7100 --keys keys/    here

    The connection is encrypted; the worker lets in whose key it has, and no other.
    """
    from pipeline.console import show
    from pipeline.lake import layout, store
    from pipeline.worker import remote_associator

    sweep = layout.open_sweep(store.at(lake), sweep_id)
    remote_associator.associate(sweep, name=name, url=worker, keys=keys)
    show.say(f"{sweep.paths.id}: the worker has no more to hand on")


def keys(
    folder: Annotated[Path, typer.Argument(help="Folder for the keys.", show_default=False)],
    associators: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Associators that shall have keys.")
    ] = None,
) -> None:
    """Make the CURVE keys of a worker, and of associators on other machines that it lets in.

    \b
    census keys keys/ north south

    Each associator needs its own NAME.key_secret and worker.key; move them there and delete the secret here. Removing
    associators/NAME.key revokes it.
    """
    from pipeline.console import show
    from pipeline.transport import keys as curve

    for path in curve.create(folder, associators or []):
        show.say(str(path))
