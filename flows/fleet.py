"""Several vantages: a run of the flow `vantage` for each, begun again if it ends before the sweep is done."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.states import Crashed

from flows.asked import once
from pipeline.errors import CensusError
from pipeline.lake.layout import Sweep
from pipeline.sweep import run as steps

#: How often to look after the vantages, in seconds.
LOOK_SECONDS = 1.0
#: How long a vantage may take to end once nothing is missing; then its process is taken for dead.
END_SECONDS = 10.0
#: How often a vantage is begun; after as many failures the rest is left to the others.
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
        """Whether its run has ended; one that a server does not tell of has not."""
        return self.state is not None and self.state.is_final()


@dataclass(slots=True)
class Fleet:
    """The vantages of a sweep, by the names of their deployments; a name may stand there several times."""

    sweep: Sweep
    names: list[str]
    _vantages: list[Vantage] = field(default_factory=list)

    def run(self, asked: Callable[[], None], shown: Callable[[], None]) -> None:
        """Have all vantages work until nothing is missing. Raises what `asked` raises, and CensusError if none is left."""
        if not steps.missing(self.sweep):
            return
        self._vantages = [Vantage(name, self._begin(name)) for name in self.names]
        while not self._is_done():
            asked()
            shown()
            self._look_after()
            time.sleep(LOOK_SECONDS)
        self._bury()

    def _is_done(self) -> bool:
        """Whether a vantage has ended by itself, as each does only when nothing is missing."""
        self._look()
        return any(vantage.state and vantage.state.is_completed() for vantage in self._vantages)

    def _begin(self, name: str) -> UUID:
        """Ask for a run; a worker of its pool takes it when it is free."""
        parameters = {"lake": str(self.sweep.paths.lake.absolute()), "sweep": self.sweep.paths.id}
        return run_deployment(name, parameters=parameters, timeout=0, as_subflow=True).id  # type: ignore[union-attr]

    def _look(self) -> None:
        for vantage in self._vantages:
            with once(), get_client(sync_client=True) as client:
                vantage.state = client.read_flow_run(vantage.run).state

    def _look_after(self) -> None:
        """Begin vantages again that have ended too early."""
        for vantage in self._vantages:
            if vantage.ended and vantage.attempts < ATTEMPTS:
                log.warning("%s ended before the sweep; it is begun again", vantage.name)
                vantage.run, vantage.attempts, vantage.state = self._begin(vantage.name), vantage.attempts + 1, None
        if all(vantage.ended for vantage in self._vantages):
            raise CensusError(
                f"every vantage has failed {ATTEMPTS} times; their runs say why, and the next run continues"
            )

    def _bury(self) -> None:
        """Let the vantages end; say of those that do not that they are dead, so that their place in the pool is free."""
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until and not all(vantage.ended for vantage in self._vantages):
            time.sleep(LOOK_SECONDS)
            self._look()
        for vantage in self._vantages:
            if vantage.state and not vantage.ended:
                with get_client(sync_client=True) as client:
                    client.set_flow_run_state(vantage.run, Crashed(message="its process is gone"), force=True)
