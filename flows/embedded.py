"""Prefect's server for one program: it starts while the program is still importing, on loopback, and ends with the program.

Prefect can start such a server itself, but then its client loads the whole server too, and waits for it before anything else.
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
#: The settings with which Prefect itself starts one: services for many machines are off.
SETTINGS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
#: How often to poll whether it is ready, and how long it may take to end, in seconds.
POLL_SECONDS, END_SECONDS = 0.05, 5.0

#: How often a lost connection for events is reopened. There is no pause, so that nothing waits for a server that has ended.
RECONNECTIONS = 2
#: A client that sends each request once. By default Prefect's waits longer after each failure, then repeats it.
NO_RETRIES = {"PREFECT_CLIENT_MAX_RETRIES": "0"}

Ready = Callable[[], None]
#: The server that this program has started, if any.
_server: "ContextVar[subprocess.Popen[bytes] | None]" = ContextVar("server", default=None)


@contextmanager
def serving() -> Iterator[Ready]:
    """Run a server during the block, unless the settings name one or want none. Call the yielded function before its first use.

    That call raises CensusError if the server does not start. So does the block if Prefect fails because the server has ended.
    """
    settings = get_current_settings()
    if settings.api.url or not settings.server.ephemeral.enabled:
        yield lambda: None
        return
    port = _free_port()
    # In a separate process group, a terminal's Ctrl-C does not reach it: an interrupted flow still has to report its end to it.
    process = subprocess.Popen(_command(port), env=os.environ | SETTINGS, process_group=0)
    os.environ["PREFECT_API_URL"] = url = f"http://{HOST}:{port}/api"
    refresh_global_settings_context()
    _server.set(process)
    EventsWorker.set_client_override(PrefectEventsClient, reconnection_attempts=RECONNECTIONS)
    try:
        yield lambda: _await(process, url, settings.server.ephemeral.startup_timeout_seconds)
    except CensusError:
        raise
    except Exception:
        require_alive()  # its error says more than the client's
        raise
    finally:
        _end(process)


def require_alive() -> None:
    """Raise CensusError if the server that this program started has ended; from then on nothing waits for it."""
    process = _server.get()
    if process is None or process.poll() is None:
        return
    os.environ.update(NO_RETRIES)
    refresh_global_settings_context()
    raise CensusError(
        f"Prefect's embedded server ended with {process.returncode}; the lake keeps all results, `census status` shows the progress, "
        "and `census sweep --resume` finishes a sweep that is not sealed"
    ) from None


def _free_port() -> int:
    """An unused port of loopback."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _command(port: int) -> list[str]:
    """The command of a server that gets SIGTERM when its parent has ended, in whatever way."""
    location = ["--app-dir", str(prefect.__module_path__.parent), "--host", HOST, "--port", str(port)]
    options = [
        *location,
        "--log-level",
        "critical",
        "--lifespan",
        "on",
        "--factory",
        "prefect.server.api.server:create_app",
    ]
    return ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "uvicorn", *options]


def _await(process: "subprocess.Popen[bytes]", url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    with httpx.Client() as client:
        while time.monotonic() < end and process.poll() is None:
            try:
                if client.get(f"{url}/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_SECONDS)
    how = f"ended with {process.poll()}" if process.poll() is not None else f"is not ready after {seconds:.0f} s"
    home = get_current_settings().home
    raise CensusError(
        f"Prefect's embedded server {how}; its database is in {home}. Try another PREFECT_HOME, "
        "or set PREFECT_API_URL to a running server"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
