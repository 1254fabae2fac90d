"""Run a command inside a closed, simulated Internet, and clean up after it."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import msgspec

from pipeline import logs
from pipeline.errors import CensusError, InputError, Interrupted
from pipeline.guard.proof import TESTBED
from pipeline.guard.sockets import ONLY_TESTBED, VANTAGE
from pipeline.testbed.closed import NamespacePair, closed_pair, dying_with_us, inside, may_make_namespaces
from pipeline.testbed.spec import Spec, addresses, load
from pipeline.testbed.world import check_decoys, started_world

CAPTURE_SECONDS = 10.0
#: Seconds for the last packets to reach the capture before it is stopped.
CAPTURE_SETTLES = 0.3
NO_USER_NAMESPACE = (
    "the testbed needs network namespaces, which this user may not make, not even in a user namespace; "
    "run it as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, AppArmor)"
)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run in a testbed.

    `capture` is a file for all packets at the world's end. With `outside`, the command stays in the caller's network
    namespace, and only the sockets of its probes are made in the vantage. `number` gives the vantages of several testbeds
    different addresses.
    """

    capture: Path | None = None
    outside: bool = False
    number: int = 0

    @property
    def options(self) -> list[str]:
        """The options as command-line options of this module."""
        arguments = ["--capture", str(self.capture)] if self.capture else []
        return [*arguments, *(["--outside"] if self.outside else []), "--number", str(self.number)]


def run(
    spec_path: Path, command: Sequence[str], options: RunOptions = RunOptions(), *, env: Mapping[str, str] | None = None
) -> int:
    """Run a command at the vantage of a testbed, with `env` added to its environment; return its exit code.

    For an ordinary user it runs as root of a new user namespace.
    """
    spec = load(spec_path)
    check_decoys(spec_path, spec)
    _check_command(command)
    if not may_make_namespaces():
        return _as_root_of_a_user_namespace(spec_path, command, options, env or {})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="census-testbed-")))
        supervisor = stack.enter_context(_supervised())
        pair = stack.enter_context(closed_pair(options.number))
        started = time.monotonic()
        environment = _environment(pair, folder, env or {})
        processes = stack.enter_context(started_world(pair, spec, folder, spec_path, environment))
        _print(_summary(spec, processes, time.monotonic() - started))
        if options.capture:
            stack.enter_context(_captured(pair, options.capture.absolute()))
        if options.outside:
            return supervisor.run([*dying_with_us(), *command], environment | {VANTAGE: str(pair.vantage)})
        return supervisor.run([*inside(pair.vantage, Path.cwd()), *command], environment)


class Supervisor:
    """Forwards signals to the command while it runs; before and after that, they end the testbed in order."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> int:
        """Run a command to its end; return its exit code, or 128 + the signal that ended it."""
        self.child = subprocess.Popen(command, env=env)
        try:
            code = self.child.wait()
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
            self.child = None
        return code if code >= 0 else 128 - code

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Forward a signal; a terminal's Ctrl-C has reached the command already."""
        if self.child is None:
            raise Interrupted(f"the testbed was stopped by {signal.Signals(number).name}")
        if number != signal.SIGINT or not _in_the_foreground():
            self.child.send_signal(number)


@contextmanager
def _supervised() -> Iterator[Supervisor]:
    """Handle SIGINT and SIGTERM during a run. Python allows this only in the main thread."""
    supervisor = Supervisor()
    before = {number: signal.signal(number, supervisor.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield supervisor
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_the_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to this process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def _check_command(command: Sequence[str]) -> None:
    if not command:
        raise InputError("census testbed run", "has no command to run; write it after `--`")
    if shutil.which(command[0]) is None:
        raise InputError("census testbed run", f"{command[0]!r} is not a command on PATH; give its path")


def _environment(pair: NamespacePair, folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Write the manifest; return the environment with its path, which also forbids everything outside of testbeds."""
    manifest = folder / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(pair.manifest))
    return {**os.environ, **extra, TESTBED: str(manifest), ONLY_TESTBED: "1"}


@contextmanager
def _captured(pair: NamespacePair, path: Path) -> Iterator[None]:
    """Write every packet at the world's end of the pair to a file."""
    command = [*inside(pair.world), sys.executable, "-m", "pipeline.testbed.capture", "world0", str(path)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    try:
        first_line = process.stderr.readline() if process.stderr else b""
        if b"listening on" not in first_line:
            process.kill()
            raise CensusError(f"cannot capture to {path}: {first_line.decode(errors='replace').strip()}")
        yield
        time.sleep(CAPTURE_SETTLES)
        process.send_signal(signal.SIGINT)
        counts = process.communicate(timeout=CAPTURE_SECONDS)[1].decode(errors="replace")
        _print(f"captured to {path}: {', '.join(counts.split(chr(10))).strip(', ')}")
    finally:
        process.kill()
        process.wait()


def _as_root_of_a_user_namespace(
    spec_path: Path, command: Sequence[str], options: RunOptions, env: Mapping[str, str]
) -> int:
    """Run this module again, as root of a new user namespace of this user."""
    enter = ["unshare", "--user", "--map-root-user", "--"]
    if subprocess.run([*enter, "unshare", "--net", "true"], check=False, capture_output=True).returncode != 0:
        raise CensusError(NO_USER_NAMESPACE)
    command_line = [
        *enter,
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        sys.executable,
        "-m",
        "pipeline.testbed.run",
        *options.options,
    ]
    with _supervised() as supervisor:
        return supervisor.run([*command_line, str(spec_path), "--", *command], {**os.environ, **env})


def _summary(spec: Spec, processes: int, seconds: float) -> str:
    simulated = {address for placement in spec.placements for address in addresses(placement)}
    return (
        f"{len(spec.server)} servers in {processes} processes on {len(simulated)} addresses after {seconds:.1f} s, "
        "closed: 2 namespaces, 1 veth pair"
    )


def _print(text: str) -> None:
    logs.info(f"testbed: {text}")


def main() -> int:
    """Run as a module, as an ordinary user's run does inside its user namespace."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.testbed.run")
    parser.add_argument("--capture", type=Path)
    parser.add_argument("--outside", action="store_true")
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("spec", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    try:
        options = RunOptions(arguments.capture, arguments.outside, arguments.number)
        return run(arguments.spec, command, options)
    except CensusError as error:
        _print(str(error))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
