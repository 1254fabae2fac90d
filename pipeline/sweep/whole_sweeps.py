"""What a focus begins with: the last whole sweeps of a series in a lake, and the addresses where they found services."""

import numpy as np

from pipeline.config.sections import Config, FocusSection
from pipeline.errors import InputError
from pipeline.lake import layout
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.lake.store import Location
from pipeline.plan.focus import WholeSweeps
from pipeline.views import connection

#: The definition of a service (docs/ontology.md).
SERVICES = "exposed_2026_11"
KEY = "key targets.focus.name"


def last(config: Config, lake: Location) -> WholeSweeps | None:
    """Return what the focus of a configuration begins with; None without one.

    Raises InputError if the lake has too few whole sweeps of the series, or one that is unfinished or asked something else.
    """
    section = config.targets.focus
    if section is None:
        return None
    whole = _whole(section, lake)[-section.sweeps :]
    if len(whole) < section.sweeps:
        raise InputError(
            KEY,
            f"{lake} has {len(whole)} of {section.sweeps} whole sweeps of {section.name!r} to begin with; run `census sweep` without "
            "a focus first, or name another series or lake",
        )
    for sweep in whole:
        _require_alike(config, sweep)
    return WholeSweeps(tuple(sweep.paths.id for sweep in whole), _services([sweep.paths for sweep in whole]))


def _whole(section: FocusSection, lake: Location) -> list[Sweep]:
    """Return the sweeps of the series that probed each address of their target space, oldest first."""
    if not (lake / "plans").is_dir():
        return []
    named = [paths for paths in layout.sweeps(lake) if paths.id.partition("-")[2] == section.name]
    sweeps = [Sweep.open(paths) for paths in named]
    return [sweep for sweep in sweeps if not sweep.plan.focus and sweep.plan.sampled_addresses == sweep.plan.addresses]


def _require_alike(config: Config, sweep: Sweep) -> None:
    """Raise InputError unless an earlier sweep is sealed, and probed the same ports with the same profile."""
    name, settings = sweep.paths.id, sweep.plan.settings
    if not sweep.paths.sealed("sweeps").exists():
        raise InputError(
            KEY, f"{name} is not sealed; finish it with `census sweep --resume` before a focus begins with it"
        )
    for key, ours, theirs in (
        ("ports", sorted(config.sweep.ports), sorted(settings.ports)),
        ("profile", str(config.sweep.profile), str(settings.profile)),
    ):
        if ours != theirs:
            raise InputError(
                KEY, f"{name} has sweep.{key} = {theirs}, and this configuration {ours}; only like sweeps add up"
            )


def _services(sweeps: list[SweepPaths]) -> np.ndarray:
    """Return the addresses with a service in any of these sweeps, sorted."""
    with connection.connect_to(sweeps, [SERVICES]) as con:
        addresses = con.execute(f"SELECT DISTINCT ip FROM {SERVICES} ORDER BY ip").fetchnumpy()["ip"]
    return np.asarray(addresses, dtype=np.uint32)
