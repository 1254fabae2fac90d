"""Cancellation and pause of a flow run while it works.

Prefect reports either to a flow only when its next task begins, which may be hours away. So the flow itself checks its own run
and the run that started it, and ends its senders at once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from uuid import UUID

from httpx import HTTPError
from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.context import SettingsContext, get_settings_context
from prefect.exceptions import Pause, PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, Settings, temporary_settings
from prefect.states import Cancelled

#: How often to check, in seconds.
CHECK_SECONDS = 0.5


@contextmanager
def best_effort() -> Iterator[None]:
    """Send each request of the block once. If the server does not answer, skip the rest of the block."""
    profile = get_settings_context().profile
    with SettingsContext(profile=profile, settings=_no_retries()), suppress(HTTPError, PrefectHTTPStatusError):
        yield


@cache
def _no_retries() -> Settings:
    """The settings of a client that never repeats a request; cached, as they take long to make."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}) as settings:
        return settings


class RunEnded(Exception):
    """The run must end in `state`: it, or the run that started it, was cancelled or paused."""

    def __init__(self, state: State) -> None:
        super().__init__(state.message or "")
        self.state = state


class CancellationCheck:
    """Checks whether this flow run was cancelled or paused. If the server does not answer, it was neither."""

    def __init__(self) -> None:
        self._run = UUID(runtime.flow_run.id)
        parent = runtime.flow_run.parent_flow_run_id
        self._parent = UUID(parent) if parent else None
        self._client: SyncPrefectClient = get_client(sync_client=True)
        self._checked = 0.0

    def __call__(self) -> None:
        """Raise Pause if this run was paused, RunEnded if it was cancelled, or if the run that started it was either.

        A run whose parent has crashed continues. That does no harm: its results are in the lake.
        """
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        state = self._state(self._run)
        if state and state.is_paused():
            raise Pause(state=state)
        if state and _is_cancelled(state):
            raise RunEnded(Cancelled(message="cancelled; the lake keeps all results, and the next run continues"))
        parent = self._state(self._parent) if self._parent else None
        if parent and (parent.is_paused() or _is_cancelled(parent)):
            message = f"the sweep that started this run is {parent.name}; its next run continues"
            raise RunEnded(Cancelled(message=message))

    def _state(self, run: UUID) -> State | None:
        with best_effort():
            return self._client.read_flow_run(run).state
        return None


def _is_cancelled(state: State) -> bool:
    return state.is_cancelling() or state.is_cancelled()
