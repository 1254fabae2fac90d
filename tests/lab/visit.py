"""Serve one product and hold the conversations with it: `python -m tests.lab.visit ID FOLDER LOG`, in namespaces of its own.

It prints a JSON line for each conversation. The server starts afresh for each, so that none is answered by what an earlier
one left behind; whoever calls this makes the namespaces, which end every process of a server with this one.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import CensusError
from tests.lab.conversations import CASES, converse
from tests.lab.products import SERVERS, Product, load

#: Seconds within which a server must listen; a Java program takes five.
START = 40.0
LISTENING = "0A"  # /proc/net/tcp, linux/net/tcp_states.h
INSIDE = Path("/lab")


def visit(product: Product, installed: Path, log: Path) -> Iterator[dict[str, object]]:
    """Yield the conversations with one product."""
    for case in CASES:
        if case.number in product.without:
            continue
        with serving(product, installed, log):
            events = converse(case, product.port, product.title)
        yield {"case": str(case), "events": events}


@contextlib.contextmanager
def serving(product: Product, installed: Path, log: Path) -> Iterator[None]:
    """A server in a new folder, listening. Nothing connects before the conversation does: some servers end after that."""
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as name, log.open("ab") as output:
        command, environment = _prepare(product, installed, Path(name))
        process = subprocess.Popen(
            command,
            cwd=name,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        try:
            _wait(process, product.port)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _unmount(product, installed)


def _prepare(product: Product, installed: Path, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Write the server's files; return its command and environment. Debian's programs see their own release as root."""
    debian = product.installation.registry == "debian"
    root = installed / "root"
    inside = INSIDE if debian else folder
    bin_folder = {"pip": installed / "bin", "npm": installed / "node_modules/.bin", "debian": Path("/usr/bin")}
    values = {"port": str(product.port), "folder": str(inside), "bin": str(bin_folder[product.installation.registry])}
    for path, text in product.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(_fill(text, values))
    if product.script:
        shutil.copy(SERVERS / product.script, folder)
    command = [_fill(word, values) for word in product.command]
    if debian:
        _mount(root, folder)
        command = ["unshare", f"--root={root}", f"--wd={INSIDE}", *command]
    environment = {"PATH": f"{values['bin']}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(inside), "LANG": "C.UTF-8"}
    environment |= {"NODE_PATH": str(installed / "node_modules")} if product.installation.registry == "npm" else {}
    return command, environment | {name: _fill(text, values) for name, text in product.environment.items()}


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _mount(root: Path, folder: Path) -> None:
    """Show the server's folder, /proc and /dev below its root, in this mount namespace only."""
    for source, target in ((folder, root / INSIDE.relative_to("/")), (Path("/dev"), root / "dev")):
        target.mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
    (root / "proc").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    (root / "tmp").mkdir(exist_ok=True)


def _unmount(product: Product, installed: Path) -> None:
    if product.installation.registry == "debian":
        for name in ("proc", "dev", INSIDE.name):
            subprocess.run(["umount", "--lazy", str(installed / "root" / name)], check=True)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until something listens on the port. Raises CensusError."""
    end = time.monotonic() + START
    while not _listens(port):
        if process.poll() not in (None, 0):
            raise CensusError(f"it ended with exit code {process.returncode}")
        if time.monotonic() > end:
            raise CensusError(f"nothing listens on port {port} after {START:.0f} s")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return any(line[1].endswith(f":{port:04X}") and line[3] == LISTENING for line in lines)


if __name__ == "__main__":
    try:
        for row in visit(load()[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])):
            print(json.dumps(row), flush=True)
    except CensusError as error:
        sys.exit(str(error))
