"""What a timer should run: the rest of the latest sweep of a series if it can be finished, else a new sweep."""

from pipeline import logs
from pipeline.config.toml_file import NONE, Overrides
from pipeline.errors import GuardError
from pipeline.lake.store import Location
from pipeline.plan.plan import Plan
from pipeline.sweep.freeze import require_fit
from pipeline.sweep.run import prepare, unfinished


def prepare_unattended(source: str, lake: Location | None = None, overrides: Overrides = NONE) -> tuple[Plan, Location]:
    """Return the plan to run and its lake.

    An unfinished sweep is left alone if the configuration has changed since, or if another version of the program planned it:
    nobody is there to decide, and a timer that only fails would never sweep again. Raises InputError or GuardError as a new sweep
    does.
    """
    try:
        plan, target = prepare(source, lake, unfinished, overrides)
        require_fit(plan)
    except GuardError as error:
        logs.warning(f"an unfinished sweep is left as it is, and a new one begins: {error}")
        return prepare(source, lake, None, overrides)
    return plan, target
