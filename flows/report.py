"""The report of the latest sealed sweep, as files."""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.artifacts import show_results
from pipeline.lake import layout, store, turn
from pipeline.lake.layout import Sweep, SweepPaths
from pipeline.publish import folder, imprint
from pipeline.publish import report as publishing
from pipeline.publish.publisher import Wishes
from pipeline.sweep import run as steps
from pipeline.views import connection

FORMATS = {"html", "md", "csv", "png"}


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[60, 600])
def write(paths: SweepPaths, output: Path, licence: str = "") -> list[Path]:
    """Write the report's files."""
    with turn.of(paths):
        by = imprint.imprint(paths, Wishes(licence=licence), steps.proven(paths.lake, paths))
        with connection.connect(paths.lake) as con:
            return publishing.write(con, paths.id, output, FORMATS, by=by)


@flow(name="report", validate_parameters=False)
def report(lake: str, output: str, sweep: str | None = None, licence: str = "") -> list[str]:
    """Write the report of a sealed sweep, by default the latest, to `output`/SWEEP, and point `output`/latest there.

    `licence` is that of its numbers and figures, an SPDX id. Returns the names of its files.
    """
    sealed = Sweep.open(layout.find_sealed(store.at(lake), sweep))
    written = write(sealed.paths, Path(output) / sealed.paths.id, licence)
    folder.point_latest(Path(output) / sealed.paths.id)
    show_results(sealed)
    return [path.name for path in written]
