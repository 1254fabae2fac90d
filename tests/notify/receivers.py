"""IntelMQ in an environment of its own, since it needs other versions than we do: its parsers read what we hand over.

python -m tests.notify.receivers     installs it, next to the packages of the tests; tests do so if it is missing
"""

import base64
import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_suffix(".txt")
FOLDER = Path(sys.prefix) / "receivers"
PYTHON = FOLDER / "bin" / "python"
#: Written last, with the lock that was installed.
READY = FOLDER / "installed.txt"


def install() -> None:
    """Install what the lock says, wheels with these hashes alone, unless it is there."""
    with (Path(sys.prefix) / "receivers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if READY.exists() and READY.read_bytes() == LOCK.read_bytes():
            return
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, FOLDER], check=True, timeout=300)
        checked = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*uv, "pip", "install", "--python", PYTHON, *checked, "-r", LOCK], check=True, timeout=300)
        READY.write_bytes(LOCK.read_bytes())


def parse(parser: str, data: bytes, name: str) -> list[dict[str, Any]]:
    """The events that a parser bot of IntelMQ (`json` or `shadowserver`) makes of a file of this name."""
    install()
    report = {"raw": base64.b64encode(data).decode(), "extra.file_name": name, "feed.name": "hand-over"}
    report |= {"__type": "Report", "time.observation": "2026-11-30T00:00:00+00:00"}
    program = [PYTHON, Path(__file__).with_name("intelmq_bot.py"), parser]
    ended = subprocess.run(program, input=json.dumps(report).encode(), capture_output=True, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()
    return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith(b"{")]  # the rest is its log


if __name__ == "__main__":
    install()
