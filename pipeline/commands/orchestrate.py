"""The one edge from `pipeline` to `flows`: a flow is loaded by its entry point and run on Prefect's embedded server, or on the
server that Prefect's settings name.
"""

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from pipeline.errors import CensusError

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


def run(name: str, **parameters: object) -> object:
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
        raise CensusError(f"the flow {name!r} is not installed; run `make setup`")
    loaded: Callable[..., Any] = points[0].load()
    return loaded
