"""Prefect's server for one program: begun beside the program's imports, on loopback, and gone with the program.

Prefect starts such a server by itself; but the client then loads the whole server too, and waits for it before it does anything.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
import prefect
from prefect.context import refresh_global_settings_context
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import get_current_settings

from pipeline.errors import CensusError

HOST = "127.0.0.1"
#: As Prefect starts one: services for many machines are off.
SETTINGS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
#: How often to ask whether it is ready, and how long it may take to end, in seconds.
ASK_SECONDS, END_SECONDS = 0.05, 5.0

#: How often a lost connection for events is tried again: at once, so that a server that is gone is not waited for.
RECONNECTIONS = 2
#: A client that asks once: after each failure Prefect's own waits longer before it asks again.
IMPATIENT = {"PREFECT_CLIENT_MAX_RETRIES": "0"}

Ready = Callable[[], None]
#: The server that this program has begun, if it has.
_begun: "ContextVar[subprocess.Popen[bytes] | None]" = ContextVar("begun", default=None)


@contextmanager
def serving() -> Iterator[Ready]:
    """Have a server in the block, unless the settings name one or want none; call what it gives before its first use.

    Raises CensusError there if the server does not come up, and for what Prefect raises because it has ended.
    """
    settings = get_current_settings()
    if settings.api.url or not settings.server.ephemeral.enabled:
        yield lambda: None
        return
    port = _free()
    # In a group of its own a terminal's Ctrl-C does not reach it: the flow that is interrupted still has to say so there.
    process = subprocess.Popen(_command(port), env=os.environ | SETTINGS, process_group=0)
    os.environ["PREFECT_API_URL"] = url = f"http://{HOST}:{port}/api"
    refresh_global_settings_context()
    _begun.set(process)
    EventsWorker.set_client_override(PrefectEventsClient, reconnection_attempts=RECONNECTIONS)
    try:
        yield lambda: _await(process, url, settings.server.ephemeral.startup_timeout_seconds)
    except CensusError:
        raise
    except Exception:
        require_alive()  # what the client raised tells less
        raise
    finally:
        _end(process)


def require_alive() -> None:
    """Raise CensusError if the server that this program has begun is gone; from then on nothing waits for it."""
    process = _begun.get()
    if process is None or process.poll() is None:
        return
    os.environ.update(IMPATIENT)
    refresh_global_settings_context()
    raise CensusError(
        f"Prefect's embedded server ended with {process.returncode}; the lake keeps all that is done, `census status` tells how far "
        "that is, and `census sweep --resume` finishes a sweep that is not sealed"
    ) from None


def _free() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _command(port: int) -> list[str]:
    """The server as a process that is told to end when its parent has ended, however that was."""
    place = ["--app-dir", str(prefect.__module_path__.parent), "--host", HOST, "--port", str(port)]
    asked = [*place, "--log-level", "critical", "--lifespan", "on", "--factory", "prefect.server.api.server:create_app"]
    return ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "uvicorn", *asked]


def _await(process: "subprocess.Popen[bytes]", url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    with httpx.Client() as client:
        while time.monotonic() < end and process.poll() is None:
            try:
                if client.get(f"{url}/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(ASK_SECONDS)
    how = f"ended with {process.poll()}" if process.poll() is not None else f"is not ready after {seconds:.0f} s"
    home = get_current_settings().home
    raise CensusError(
        f"Prefect's embedded server {how}; its database is in {home}: try again with another PREFECT_HOME, "
        "or name a server that runs in PREFECT_API_URL"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
