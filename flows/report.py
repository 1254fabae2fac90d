"""The report of the latest sealed sweep, as files."""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.artifacts import show_results
from pipeline.lake import store, turn
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.publish import folder
from pipeline.publish import report as publishing
from pipeline.sweep import run as steps
from pipeline.views import connection

FORMATS = {"html", "md", "csv", "png"}


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[60, 600])
def write(paths: SweepPaths, output: Path) -> list[Path]:
    """Write the report's files."""
    with turn.of(paths):
        proven = steps.proven(paths.lake, paths)
        with connection.connect(paths.lake) as con:
            return publishing.write(con, paths.id, output, FORMATS, proof=proven)


@flow(name="report", validate_parameters=False)
def report(lake: str, output: str, sweep: str | None = None) -> list[str]:
    """Write the report of a sealed sweep, by default the latest, to `output`/SWEEP, and point `output`/latest there.

    Returns the names of its files.
    """
    sealed = Sweep.open(steps.sealed(store.at(lake), sweep))
    written = write(sealed.paths, Path(output) / sealed.paths.id)
    folder.point_latest(Path(output) / sealed.paths.id)
    show_results(sealed)
    return [path.name for path in written]
