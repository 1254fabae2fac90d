"""What people ask of a flow run by way of Prefect while it works: to cancel it, or to pause it.

Prefect tells a flow so only when its next task begins, which may be hours away. So the flow looks itself, at its own run and at
the one that started it, and ends its senders at once.
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

#: How often to look, in seconds.
LOOK_SECONDS = 0.5


@contextmanager
def once() -> Iterator[None]:
    """Ask the server once in the block: one that does not answer is not waited for, and what it would have said is left out."""
    profile = get_settings_context().profile
    with SettingsContext(profile=profile, settings=_impatient()), suppress(HTTPError, PrefectHTTPStatusError):
        yield


@cache
def _impatient() -> Settings:
    """The settings of a client that never asks twice; it takes long to make them."""
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}) as settings:
        return settings


class Ended(Exception):
    """Somebody asked for the end; `state` is what the run ends in."""

    def __init__(self, state: State) -> None:
        super().__init__(state.message or "")
        self.state = state


class Asked:
    """Looks what is asked of this flow run. A server that does not answer asks for nothing."""

    def __init__(self) -> None:
        self._own = UUID(runtime.flow_run.id)
        parent = runtime.flow_run.parent_flow_run_id
        self._parent = UUID(parent) if parent else None
        self._client: SyncPrefectClient = get_client(sync_client=True)
        self._looked = 0.0

    def __call__(self) -> None:
        """Raise Pause if this run was paused, Ended if it was cancelled, or if the run that started it was either.

        A run that goes on after the one that started it has crashed does no harm: the lake keeps what it does.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        own = self._state(self._own)
        if own and own.is_paused():
            raise Pause(state=own)
        if own and _is_cancelled(own):
            raise Ended(Cancelled(message="cancelled; the state is saved, the next run goes on"))
        parent = self._state(self._parent) if self._parent else None
        if parent and (parent.is_paused() or _is_cancelled(parent)):
            raise Ended(Cancelled(message=f"the sweep that started this run is {parent.name}; its next run goes on"))

    def _state(self, run: UUID) -> State | None:
        with once():
            return self._client.read_flow_run(run).state
        return None


def _is_cancelled(state: State) -> bool:
    return state.is_cancelling() or state.is_cancelled()
