"""What Prefect's pages show of a sweep: progress, funnel and countries. Aggregates only, never an address."""

import time
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.asked import once
from pipeline.lake.layout import Sweep
from pipeline.publish import report
from pipeline.publish.gather import gather
from pipeline.status.snapshot import Status, SweepStatus
from pipeline.views import connection

#: How often progress is shown, in seconds.
SHOW_SECONDS = 10.0


class Shown:
    """The progress of one sweep. A server that does not answer is shown nothing."""

    def __init__(self, sweep: Sweep) -> None:
        self._series, self._look = sweep.plan.settings.name, SweepStatus(sweep)
        self._progress: UUID | None = None
        self._percent = -1
        self._at = float("-inf")

    def __call__(self, *, now: bool = False) -> None:
        """Show how far it is, if that was not just done."""
        if not now and time.monotonic() - self._at < SHOW_SECONDS:
            return
        self._at = time.monotonic()
        with once():
            self._show(self._look())

    def _show(self, found: Status) -> None:
        words = f"{found.sweep}: {found.state}, {found.ranges_done:,} of {found.ranges:,} ranges"
        if self._progress is None:
            key = f"{self._series}-progress"
            made = create_progress_artifact(100 * found.share, key=key, description=words)
            self._progress = cast(UUID, made)  # a coroutine only for callers that are one
        else:
            update_progress_artifact(self._progress, 100 * found.share, description=words)
        if int(100 * found.share) == self._percent:  # a week's sweep is a hundred tables, not ten thousand
            return
        self._percent = int(100 * found.share)
        rows = [{"step": step, "targets": count} for step, count in found.funnel.items()]
        create_table_artifact(rows, key=f"{self._series}-funnel", description=words)


def show_results(sweep: Sweep) -> None:
    """Show the headline, the funnel and the countries of a finished sweep, as its report has them."""
    series, sweep_id = sweep.plan.settings.name, sweep.paths.id
    with connection.connect(sweep.paths.lake) as con:
        text, countries = report.summary(gather(con, sweep_id))
    with once():
        create_markdown_artifact(text, key=f"{series}-result", description=sweep_id)
        create_table_artifact(countries, key=f"{series}-countries", description=sweep_id)
