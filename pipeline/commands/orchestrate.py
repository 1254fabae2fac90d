"""A sweep's steps in their order: as Prefect's flow where Prefect is installed, else one after the other.

The one edge from `pipeline` to `flows`: a flow is loaded by its entry point and run on Prefect's embedded server, or on the
server that Prefect's settings name.
"""

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from pipeline.errors import CensusError, InputError
from pipeline.lake.layout import Sweep

#: Prefect as a measuring instrument wants it: no telemetry, time to migrate a new database, no blocks, task runs in batches.
SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}


def check() -> None:
    """Raise InputError if the environment names a server of Prefect and Prefect is not installed."""
    if os.environ.get("PREFECT_API_URL") and not find_spec("prefect"):
        raise InputError("PREFECT_API_URL", "names a server, but Prefect is not installed; install dicom-census[fleet]")


def run(begun: Sweep, max_runtime: float | None = None) -> None:
    """Finish a sweep that has begun: run what has no receipt, verify, seal, enrich. Raises what the first failing step raises.

    After `max_runtime` seconds of sending, Interrupted.
    """
    if find_spec("prefect"):
        _flow("sweep", source=str(begun.paths.plan), lake=str(begun.paths.lake), max_runtime=max_runtime)
    else:
        _steps(begun, max_runtime)


def _steps(begun: Sweep, max_runtime: float | None) -> None:
    """Run the steps in this process. Nothing is retried: `census sweep --resume` goes on."""
    from pipeline.sweep import enrichment
    from pipeline.sweep import run as steps

    steps.work(begun, max_runtime=max_runtime)
    steps.require_verified(begun)
    steps.seal(begun)
    enrichment.enrich(begun)


def _flow(name: str, **parameters: object) -> object:
    """Run a flow with its parameters. Raises what the flow raised, or CensusError if there is no such flow."""
    for key, value in SETTINGS.items():
        os.environ.setdefault(key, value)
    with _loaded("census.server", "serving")() as ready:
        flow = _loaded("census.flows", name)
        ready()
        return flow(**parameters)


def _loaded(group: str, name: str) -> Callable[..., Any]:
    points = [point for point in entry_points(group=group) if point.name == name]
    if not points:
        raise CensusError(f"the flow {name!r} is not installed; install dicom-census again")
    loaded: Callable[..., Any] = points[0].load()
    return loaded
