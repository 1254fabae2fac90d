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

from flows.cancellation import best_effort
from pipeline.lake.layout import Sweep
from pipeline.publish import cells, markdown_report
from pipeline.publish.funnel import HEADINGS
from pipeline.publish.gather import gather
from pipeline.status.snapshot import STATES, Status, SweepStatus
from pipeline.views import connection
from pipeline.words.steps import STEPS

#: How often progress is shown, in seconds.
SHOW_SECONDS = 10.0


class ProgressArtifacts:
    """Shows the progress of one sweep. A server that does not answer is skipped."""

    def __init__(self, sweep: Sweep) -> None:
        self._series, self._read = sweep.plan.settings.name, SweepStatus(sweep)
        self._progress: UUID | None = None
        self._percent = -1
        self._shown_at = float("-inf")

    def __call__(self, *, now: bool = False) -> None:
        """Show the progress, at most every SHOW_SECONDS unless `now` is given."""
        if not now and time.monotonic() - self._shown_at < SHOW_SECONDS:
            return
        self._shown_at = time.monotonic()
        with best_effort():
            self._show(self._read())

    def _show(self, status: Status) -> None:
        words = (
            f"{status.sweep}: {status.state}: {STATES[status.state]}. {status.ranges_done:,} of {status.ranges:,} ranges have their "
            "receipts."
        )
        if self._progress is None:
            key = f"{self._series}-progress"
            created = create_progress_artifact(100 * status.share, key=key, description=words)
            self._progress = cast(UUID, created)  # a coroutine only in asynchronous callers
        else:
            update_progress_artifact(self._progress, 100 * status.share, description=words)
        if int(100 * status.share) == self._percent:  # a week's sweep makes a hundred tables, not ten thousand
            return
        self._percent = int(100 * status.share)
        rows = [{HEADINGS[0]: STEPS[step], HEADINGS[1]: count} for step, count in status.funnel.items()]
        create_table_artifact(rows, key=f"{self._series}-funnel", description=words)


def show_results(sweep: Sweep) -> None:
    """Show the headline, the funnel and the countries of a finished sweep, as in its report."""
    series, sweep_id = sweep.plan.settings.name, sweep.paths.id
    with connection.connect(sweep.paths.lake) as con:
        text, countries = markdown_report.summary(gather(con, sweep_id, names=cells.BRIEF))
    with best_effort():
        create_markdown_artifact(text, key=f"{series}-result", description=sweep_id)
        create_table_artifact(countries, key=f"{series}-countries", description=sweep_id)
