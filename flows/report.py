"""The report of the latest sealed sweep, as files."""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.shown import show_results
from pipeline.lake import store
from pipeline.lake.store import Sweep
from pipeline.publish import report as publishing
from pipeline.sweep import freeze
from pipeline.sweep import run as steps
from pipeline.views import connection

FORMATS = {"html", "md", "csv", "png"}


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[60, 600])
def write(place: Sweep, output: Path) -> list[Path]:
    """Write the report's files."""
    with connection.connect(place.lake) as con:
        return publishing.write(con, place.id, output, FORMATS)


@flow(name="report", validate_parameters=False)
def report(lake: str, output: str, sweep: str | None = None) -> list[str]:
    """Write the report of a sealed sweep, the latest if none is named, to `output`/SWEEP; the files' names."""
    place = steps.sealed(store.at(lake), sweep)
    written = write(place, Path(output) / place.id)
    show_results(place, freeze.read(place.plan).settings.name)
    return [path.name for path in written]
