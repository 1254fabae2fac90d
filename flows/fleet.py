"""Several vantages: a run of the flow `vantage` for each, restarted if it ends before the sweep is done."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.states import Crashed

from flows.cancellation import best_effort
from pipeline.errors import CensusError
from pipeline.lake.layout import Sweep
from pipeline.status.snapshot import DONE, SweepStatus
from pipeline.sweep import run as steps

#: How often to check the vantages, in seconds.
CHECK_SECONDS = 1.0
#: How often to read the lake, in seconds.
LAKE_SECONDS = 10.0
#: How long nobody may work in the lake, in seconds, until a run that the server has as running counts as dead. It may have
#: lost its worker, or have ended while the server was away.
IDLE_SECONDS = 600.0
#: States of a sweep in which a vantage lives.
AT_WORK = {"running", "held"}
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


class LakeWatch:
    """What the lake says of a sweep, whatever the server says of its runs: whether nothing is missing, and whether nobody works."""

    def __init__(self, sweep: Sweep) -> None:
        self.complete = False
        self._read = SweepStatus(sweep)
        self._read_at = float("-inf")
        self._worked_at = time.monotonic()

    def __call__(self) -> None:
        """Read the lake, at most every LAKE_SECONDS."""
        now = time.monotonic()
        if now - self._read_at < LAKE_SECONDS:
            return
        self._read_at, state = now, self._read().state
        self.complete = state in DONE
        if state in AT_WORK:
            self._worked_at = now

    @property
    def idle(self) -> bool:
        """Whether nobody has worked for IDLE_SECONDS."""
        return time.monotonic() - self._worked_at > IDLE_SECONDS

    def restart(self) -> None:
        """Give vantages that begin the same time again."""
        self._worked_at = time.monotonic()


@dataclass(slots=True)
class Fleet:
    """The vantages of a sweep, by the names of their deployments; a name may occur several times."""

    sweep: Sweep
    names: list[str]
    _vantages: list[Vantage] = field(default_factory=list)
    _answered: bool = True
    _client: SyncPrefectClient = field(default_factory=lambda: get_client(sync_client=True))
    """Kept, since a new one reads all authorities that TLS trusts, 30 ms of CPU."""

    def run(self, check: Callable[[], None], show: Callable[[], None]) -> None:
        """Have all vantages work until nothing is missing. Raises what `check` raises, and CensusError if all have failed."""
        if not steps.missing(self.sweep):
            return
        self._vantages = [Vantage(name, self._begin(name)) for name in self.names]
        lake = LakeWatch(self.sweep)
        while not self._is_done(lake):
            check()
            show()
            self._end_dead(lake)
            self._restart_ended()
            time.sleep(CHECK_SECONDS)
        self._wait_for_ends()

    def _is_done(self, lake: LakeWatch) -> bool:
        """Whether nothing is missing: a vantage has completed, or the lake says so."""
        self._read_states()
        lake()
        return lake.complete or any(vantage.state and vantage.state.is_completed() for vantage in self._vantages)

    def _begin(self, name: str) -> UUID:
        """Create a run; a worker of its pool takes it when it is free."""
        parameters = {"lake": str(self.sweep.paths.lake.absolute()), "sweep": self.sweep.paths.id}
        return run_deployment(name, parameters=parameters, timeout=0, as_subflow=True).id  # type: ignore[union-attr]

    def _read_states(self) -> None:
        self._answered = False
        for vantage in self._vantages:
            with best_effort():
                vantage.state = self._client.read_flow_run(vantage.run).state
                self._answered = True

    def _end_dead(self, lake: LakeWatch) -> None:
        """If nobody works, report the vantages that should as crashed. Raises CensusError if the server does not answer either."""
        if not lake.idle:
            return
        if not self._answered:
            raise CensusError(
                f"nobody has worked for {IDLE_SECONDS:.0f} s, and Prefect's server does not answer; the lake keeps all results. "
                "Start the server and the vantages' workers; the next run continues"
            )
        # One that no worker has taken yet may still begin.
        self._report_crashed(lambda state: state.is_running() or state.is_pending())
        lake.restart()

    def _restart_ended(self) -> None:
        """Restart vantages that have ended before the sweep. Raises CensusError if all have failed for the last time.

        If the server does not answer, the next check tries again.
        """
        for vantage in self._vantages:
            if vantage.ended and vantage.attempts < ATTEMPTS:
                with best_effort():
                    vantage.run = self._begin(vantage.name)
                    vantage.attempts, vantage.state = vantage.attempts + 1, None
                    log.warning("%s ended before the sweep; it was started again", vantage.name)
        if all(vantage.ended and vantage.attempts == ATTEMPTS for vantage in self._vantages):
            raise CensusError(
                f"every vantage has failed {ATTEMPTS} times; their runs say why, and the next run continues"
            )

    def _wait_for_ends(self) -> None:
        """Wait until the vantages have ended; report those that do not as crashed, so that their slot in the pool is free."""
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until and not all(vantage.ended for vantage in self._vantages):
            time.sleep(CHECK_SECONDS)
            self._read_states()
        self._report_crashed(lambda state: not state.is_final())

    def _report_crashed(self, counts: Callable[[State], bool]) -> None:
        """Report the vantages as crashed whose state counts."""
        for vantage in self._vantages:
            if vantage.state and counts(vantage.state):
                with best_effort():
                    self._client.set_flow_run_state(vantage.run, Crashed(message="its process is gone"), force=True)
