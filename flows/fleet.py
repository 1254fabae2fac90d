"""Several vantages: a run of the flow `vantage` for each, restarted if it ends before the sweep is done."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.states import Crashed

from flows.cancellation import best_effort
from pipeline.errors import CensusError
from pipeline.lake.layout import Sweep
from pipeline.sweep import run as steps

#: How often to check the vantages, in seconds.
CHECK_SECONDS = 1.0
#: How long a vantage may take to end once nothing is missing, in seconds; then its process counts as dead.
END_SECONDS = 10.0
#: How many runs a vantage gets; after that many failures the other vantages do the rest.
ATTEMPTS = 4

log = logging.getLogger("pipeline.fleet")


@dataclass(slots=True)
class Vantage:
    """A deployment and its latest run."""

    name: str
    run: UUID
    attempts: int = 1
    state: State | None = None

    @property
    def ended(self) -> bool:
        """Whether its run has ended; a run whose state is unknown has not."""
        return self.state is not None and self.state.is_final()


@dataclass(slots=True)
class Fleet:
    """The vantages of a sweep, by the names of their deployments; a name may occur several times."""

    sweep: Sweep
    names: list[str]
    _vantages: list[Vantage] = field(default_factory=list)

    def run(self, check: Callable[[], None], show: Callable[[], None]) -> None:
        """Have all vantages work until nothing is missing. Raises what `check` raises, and CensusError if all have failed."""
        if not steps.missing(self.sweep):
            return
        self._vantages = [Vantage(name, self._begin(name)) for name in self.names]
        while not self._is_done():
            check()
            show()
            self._restart_ended()
            time.sleep(CHECK_SECONDS)
        self._wait_for_ends()

    def _is_done(self) -> bool:
        """Whether a vantage has completed, as each does only when nothing is missing."""
        self._read_states()
        return any(vantage.state and vantage.state.is_completed() for vantage in self._vantages)

    def _begin(self, name: str) -> UUID:
        """Create a run; a worker of its pool takes it when it is free."""
        parameters = {"lake": str(self.sweep.paths.lake.absolute()), "sweep": self.sweep.paths.id}
        return run_deployment(name, parameters=parameters, timeout=0, as_subflow=True).id  # type: ignore[union-attr]

    def _read_states(self) -> None:
        for vantage in self._vantages:
            with best_effort(), get_client(sync_client=True) as client:
                vantage.state = client.read_flow_run(vantage.run).state

    def _restart_ended(self) -> None:
        """Restart vantages that have ended before the sweep. Raises CensusError if all have failed for the last time."""
        for vantage in self._vantages:
            if vantage.ended and vantage.attempts < ATTEMPTS:
                log.warning("%s ended before the sweep; starting it again", vantage.name)
                vantage.run, vantage.attempts, vantage.state = self._begin(vantage.name), vantage.attempts + 1, None
        if all(vantage.ended for vantage in self._vantages):
            raise CensusError(
                f"every vantage has failed {ATTEMPTS} times; their runs say why, and the next run continues"
            )

    def _wait_for_ends(self) -> None:
        """Wait until the vantages have ended; report those that do not as crashed, so that their slot in the pool is free."""
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until and not all(vantage.ended for vantage in self._vantages):
            time.sleep(CHECK_SECONDS)
            self._read_states()
        for vantage in self._vantages:
            if vantage.state and not vantage.ended:
                with get_client(sync_client=True) as client:
                    client.set_flow_run_state(vantage.run, Crashed(message="its process is gone"), force=True)
