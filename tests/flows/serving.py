"""A real Prefect server, workers at closed vantages, and requests to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from pipeline.commands.orchestrate import SETTINGS
from tests.associate.serving import free_port
from tests.testbed.running import CENSUS, ROOT, environment

# Prefect, 2 s of CPU, is imported by what uses it: every process that collects tests imports this module.
if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State
    from prefect.client.schemas.responses import DeploymentResponse

PREFECT = [sys.executable, "-m", "prefect"]
#: PostgreSQL's server refuses to run as root, so it runs as this user.
NOBODY = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
#: A busy machine takes its time to start.
BEGIN_SECONDS = 180.0


@dataclass
class Program:
    """A program at work that can be stopped and started again; what it prints goes to a file."""

    command: list[str | Path]
    log: Path
    environment: dict[str, str] | None = None

    def start(self) -> None:
        """Start it, in a session of its own."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, by: signal.Signals) -> None:
        """Stop it and its children by a signal, and wait for its end."""
        os.killpg(self.process.pid, by)
        self.process.wait(60)


@dataclass(frozen=True)
class Server:
    """A server, the environment that names it, and its folder; its program and that of its database."""

    url: str
    environment: dict[str, str]
    folder: Path
    program: Program
    database: Program

    @cached_property
    def client(self) -> "SyncPrefectClient":
        """A client of it; each new one would read all authorities that TLS trusts, 30 ms of CPU."""
        from prefect.client.orchestration import SyncPrefectClient

        return SyncPrefectClient(self.url)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.program.start()
        with httpx.Client(timeout=5) as client:
            until(lambda: self.program.process.poll() is not None or _healthy(client, self.url))

    def make_pool(self, name: str) -> None:
        """Make a work pool whose runs are processes."""
        from prefect.client.schemas.actions import WorkPoolCreate
        from prefect.workers.process import ProcessWorker

        template = ProcessWorker.get_default_base_job_template()
        self.client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))

    @contextmanager
    def deploying(self) -> Iterator[None]:
        """Run `prefect deploy`, which registers all deployments of `prefect.yaml`, during the block."""
        command = [*PREFECT, "--no-prompt", "deploy", "--all"]
        deploying = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        yield
        output, _ = deploying.communicate(timeout=BEGIN_SECONDS)
        assert deploying.returncode == 0, output

    def deployment(self, name: str) -> "DeploymentResponse":
        """A deployment, once the server knows it."""
        until(lambda: self._knows(name))
        return self.client.read_deployment_by_name(name)

    def _knows(self, name: str) -> bool:
        from prefect.exceptions import ObjectNotFound

        try:
            self.client.read_deployment_by_name(name)
        except ObjectNotFound:
            return False
        return True

    @contextmanager
    def worker(self, pool: str, spec: Path, number: int) -> Iterator["subprocess.Popen[bytes]"]:
        """A worker of a pool, outside of the testbed that its probes go to; packets of that testbed go to `NUMBER.pcap`."""
        capture = ["--capture", str(self.folder / f"{number}.pcap")]
        testbed = ["testbed", "run", "--spec", str(spec), *capture, "--outside", "--number", str(number)]
        named = ["--pool", pool, "--type", "process", "--limit", "1", "--name", f"w{number}"]
        command = [*CENSUS, *testbed, "--", *PREFECT, "worker", "start", *named]
        with (self.folder / f"{number}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def begin(self, name: str, **parameters: object) -> UUID:
        """Create a run of a deployment."""
        deployment = self.deployment(name)
        return self.client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id

    def state(self, run: UUID) -> "State":
        """The state of a run."""
        state = self.client.read_flow_run(run).state
        assert state is not None
        return state

    def until(self, run: UUID, name: str) -> "State":
        """Wait until a run is in a state of this name; fail if it ends in another."""
        until(lambda: (state := self.state(run)).name == name or state.is_final())
        state = self.state(run)
        assert state.name == name, f"{state.name}: {state.message}"
        return state


def until(condition: Callable[[], object], seconds: float = BEGIN_SECONDS) -> None:
    """Wait until a condition is true; to look takes a tenth of the time at most, so that what is waited for has the processor."""
    looked = time.monotonic()
    deadline = looked + seconds
    while not condition():
        now = time.monotonic()
        assert now < deadline
        time.sleep(max(0.25, 9 * (now - looked)))
        looked = time.monotonic()


def postgresql_programs() -> Path:
    """Where Debian has the programs of the newest PostgreSQL that is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, Program]]:
    """The URL of a new database, made as docs/fleet.md makes it, and its program, on loopback; a folder keeps it."""
    programs = postgresql_programs()
    data, address = folder / "postgresql", ["-h", "127.0.0.1", "-p", str(free_port())]
    made = [*NOBODY, programs / "initdb", "-D", data, "-U", "prefect", "--auth=trust", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, timeout=BEGIN_SECONDS)
    program = Program(
        [*NOBODY, programs / "postgres", "-D", data, "-k", data, "-F", *address], folder / "postgresql.log"
    )
    psql = [programs / "psql", *address, "-U", "prefect", "-d"]
    program.start()
    try:
        until(
            lambda: (
                not subprocess.run([*psql, "postgres", "-c", "CREATE DATABASE fleet"], capture_output=True).returncode
            )
        )
        subprocess.run([*psql, "fleet", "-c", "CREATE EXTENSION pg_trgm"], check=True, capture_output=True, timeout=60)
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{address[-1]}/fleet", program
    finally:
        program.stop(signal.SIGINT)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server on loopback, on PostgreSQL as a fleet's is."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with postgresql(folder) as (database_url, database):
        environ = environment(folder) | SETTINGS | {
            "PREFECT_API_URL": url,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_WORKER_PREFETCH_SECONDS": "1",
            "PREFECT_LOGGING_LEVEL": "INFO",
        }  # fmt: skip
        server = Server(url, environ, folder, Program(command, folder / "server.log", environ), database)
        try:
            server.start()
            yield server
        finally:
            if server.program.process.poll() is None:
                server.program.stop(signal.SIGTERM)


def _healthy(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/health").is_success
    except httpx.HTTPError:
        return False
