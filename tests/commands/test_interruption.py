"""How a signal ends a command."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.interruption import TOGETHER, Interruption
from tests.commands.running import ROOT, write_config

SAID = "census: interrupted; the state is saved, run it again (`census sweep` with --resume) to finish the rest"


def test_signals_that_come_together_are_one() -> None:
    """A signal ends a command once, also if its sender sends it to the command's group as well; a later one counts again."""
    handler = Interruption()
    assert not handler.happened
    with pytest.raises(KeyboardInterrupt):
        handler.handle(signal.SIGINT, None)
    handler.handle(signal.SIGINT, None)
    handler.handle(signal.SIGTERM, None)
    assert handler.happened
    handler.ends -= TOGETHER
    with pytest.raises(KeyboardInterrupt):
        handler.handle(signal.SIGTERM, None)


def _blocked(folder: Path, **streams: Any) -> tuple[subprocess.Popen[bytes], int]:
    """`census plan` while it reads a list that does not end, and the end of that pipe to write to."""
    config = Path(write_config(folder))
    os.mkfifo(folder / "targets.txt")
    config.write_text(
        config.read_text("utf-8").replace("[targets]", '[targets]\ninclude_files = ["targets.txt"]'), "utf-8"
    )
    command = [sys.executable, "-m", "pipeline", "plan", str(config)]
    program = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **streams)
    return program, os.open(folder / "targets.txt", os.O_WRONLY)


def test_a_signal_is_answered_by_a_sentence(tmp_path: Path) -> None:
    """A command that a signal ends says that it was interrupted and how to go on, and exits with 130."""
    program, list_ = _blocked(tmp_path, stderr=subprocess.PIPE)
    program.terminate()
    try:
        errors = program.communicate(timeout=60)[1].decode()
    finally:
        program.kill()
        os.close(list_)
    assert (program.returncode, errors.strip()) == (130, SAID)


def test_ctrl_c_of_a_terminal_is_answered_too(tmp_path: Path) -> None:
    """Ctrl-C at a terminal has the same end: the terminal sends its group SIGINT."""
    ours, theirs = pty.openpty()
    program, list_ = _blocked(
        tmp_path, stdin=theirs, stderr=theirs, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    )
    os.write(ours, b"\x03")
    assert program.wait(timeout=60) == 130
    assert SAID in os.read(ours, 4096).decode()
    for end in (ours, theirs, list_):
        os.close(end)
