"""The one edge from `pipeline` to `flows`: a flow is loaded by its entry point and run on Prefect's embedded server."""

import os
from importlib.metadata import entry_points

from pipeline.errors import CensusError

#: Prefect as a measuring instrument wants it: no telemetry, time to migrate a new database, task runs written in batches.
SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
}


def run(name: str, **parameters: str) -> object:
    """Run a flow with its parameters. Raises what the flow raised, or CensusError if there is no such flow."""
    for key, value in SETTINGS.items():
        os.environ.setdefault(key, value)
    found = [point for point in entry_points(group="census.flows") if point.name == name]
    if not found:
        raise CensusError(f"no flow {name!r} is installed; run `make setup`")
    return found[0].load()(**parameters)
