"""Prefect's server for one program: it starts while the program is still importing, on loopback, and ends with the program.

Prefect can start such a server itself, but then its client loads the whole server too, and waits for it before anything else.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import prefect
from prefect.context import refresh_global_settings_context
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import Settings, get_current_settings

from flows import proxies
from pipeline import host
from pipeline.errors import CensusError

HOST = "127.0.0.1"
#: The settings with which Prefect itself starts one: services for many machines are off. Errors go to a log, which tells a cause.
SETTINGS = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}
#: How often to poll whether it is ready, and how long it may take to end, in seconds.
POLL_SECONDS, END_SECONDS = 0.05, 5.0

#: How often a lost connection for events is reopened. There is no pause, so that nothing waits for a server that has ended.
RECONNECTIONS = 2
#: A client that sends each request once. By default Prefect's waits longer after each failure, then repeats it.
NO_RETRIES = {"PREFECT_CLIENT_MAX_RETRIES": "0"}

#: Where Prefect keeps its database unless PREFECT_HOME or a profile names another folder. Programs of any version share it.
SHARED_HOME = Path.home() / ".prefect"
#: What the server's last line says, and what it means.
CAUSES = {"Can't locate revision": "another version of Prefect has changed its database"}
#: Last lines after a failure that do not say why: of uvicorn, and of SQLAlchemy.
NO_CAUSE = ("Application startup failed", "(Background on this error at")
#: The end of the server's log that is read for the cause of a failure, in bytes.
LOG_BYTES = 1 << 14

Ready = Callable[[], None]


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """The process of a server, and what it has printed."""

    process: "subprocess.Popen[bytes]"
    log: IO[bytes]

    def cause(self) -> str:
        """Why it ended, as far as its last line tells."""
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - LOG_BYTES))
        lines = self.log.read().decode("utf-8", "replace").split("\n")
        telling = (line.strip() for line in reversed(lines) if not any(text in line for text in NO_CAUSE))
        last = next(filter(None, telling), "no reason is known")
        return next((f"{meaning} ({last})" for text, meaning in CAUSES.items() if text in last), last)


#: The server that this program has started, if any.
_server: ContextVar[EmbeddedServer | None] = ContextVar("server", default=None)


@contextmanager
def serving() -> Iterator[Ready]:
    """Run a server during the block, unless the settings name one or want none. Call the yielded function before its first use.

    That call raises CensusError if the server does not start. So does the block if Prefect fails because the server has ended.
    """
    settings = get_current_settings()
    proxies.exempt_loopback(os.environ)
    proxies.drop_unusable(os.environ, settings.api.url or f"http://{HOST}")
    if settings.api.url or not settings.server.ephemeral.enabled:
        yield lambda: None
        return
    _use_own_home(settings)
    with tempfile.TemporaryFile(prefix="census-") as log:
        server, url = _start(log)
        try:
            yield lambda: _await(server, url, settings.server.ephemeral.startup_timeout_seconds)
        except CensusError:
            raise
        except Exception:
            require_alive()  # its error says more than the client's
            raise
        finally:
            _end(server.process)


def _use_own_home(settings: Settings) -> None:
    """Keep the database apart from that of other programs, by Prefect's version, unless the settings name a home.

    Prefect refuses a database that a later version has changed. The user's profiles stay in force. Raises CensusError if the
    folder cannot be made.
    """
    if settings.home == SHARED_HOME:
        home = host.folder("XDG_STATE_HOME", ".local/state") / f"prefect-{prefect.__version__}"
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CensusError(
                f"{home}, for the database of Prefect's embedded server, cannot be made: {error.strerror}; "
                "set XDG_STATE_HOME or PREFECT_HOME to a folder that can be written"
            ) from None
        os.environ["PREFECT_HOME"] = str(home)
        os.environ["PREFECT_PROFILES_PATH"] = str(settings.profiles_path)


def _start(log: IO[bytes]) -> tuple[EmbeddedServer, str]:
    """Start a server that prints to a file, and let this program use it; returns it and its URL."""
    port = _free_port()
    # In a separate process group, a terminal's Ctrl-C does not reach it: an interrupted flow still has to report its end to it.
    process = subprocess.Popen(
        _command(port), env=os.environ | SETTINGS, process_group=0, stdout=log, stderr=subprocess.STDOUT
    )
    os.environ["PREFECT_API_URL"] = url = f"http://{HOST}:{port}/api"
    refresh_global_settings_context()
    server = EmbeddedServer(process, log)
    _server.set(server)
    EventsWorker.set_client_override(PrefectEventsClient, reconnection_attempts=RECONNECTIONS)
    return server, url


def require_alive() -> None:
    """Raise CensusError if the server that this program started has ended; from then on nothing waits for it."""
    server = _server.get()
    if server is None or server.process.poll() is None:
        return
    os.environ.update(NO_RETRIES)
    refresh_global_settings_context()
    raise CensusError(
        f"Prefect's embedded server ended with {server.process.returncode}; the lake keeps all results, "
        "`census status` shows the progress, and `census sweep --resume` finishes a sweep that is not sealed"
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
        "error",
        "--lifespan",
        "on",
        "--factory",
        "prefect.server.api.server:create_app",
    ]
    return ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "uvicorn", *options]


def _await(server: EmbeddedServer, url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < end and server.process.poll() is None:
            try:
                if client.get(f"{url}/health").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_SECONDS)
    code = server.process.poll()
    how = f"is not ready after {seconds:.0f} s" if code is None else f"ended with {code}: {server.cause()}"
    home = get_current_settings().home
    raise CensusError(
        f"Prefect's embedded server {how}; its database is in {home}. Set PREFECT_HOME to another folder, "
        "or PREFECT_API_URL to a running server"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
