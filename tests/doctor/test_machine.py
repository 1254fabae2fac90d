"""The checks of the machine, against the kernel's own figures."""

import ctypes
import json
import subprocess
import time
from pathlib import Path

from pipeline.doctor import machine
from pipeline.doctor.finding import Level, Subject
from tests.testbed.running import CENSUS, ROOT

#: Offset of the seconds of the wall clock in struct timex (adjtimex(2)).
TIMEX_TIME = 72


def test_the_layout_of_the_kernels_clock() -> None:
    """The structure that the check reads is the kernel's: the wall clock in it is that of this process."""
    timex = ctypes.create_string_buffer(machine.TIMEX_BYTES)
    assert ctypes.CDLL(None).adjtimex(timex) >= 0
    assert abs(int.from_bytes(timex.raw[TIMEX_TIME : TIMEX_TIME + 8], "little") - time.time()) < 5
    (found,) = machine.clock(Subject())
    unsynchronised = int.from_bytes(timex.raw[machine.TIMEX_STATUS :][:4], "little") & machine.STA_UNSYNC
    assert found.level is (Level.WARNING if unsynchronised or "may be off" in found.text else Level.OK)


def test_memory() -> None:
    """The check names the memory that the kernel calls available."""
    (found,) = machine.memory(Subject())
    shown = int(found.text.split(" MB")[0].replace(",", ""))
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    assert abs(shown - available / 1024) < 500


def test_few_open_files() -> None:
    """A hard limit below the conversations of an associator is a warning that names both and the remedy."""
    command = ["prlimit", "--nofile=300:300", *CENSUS, "doctor", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    (found,) = [row for row in map(json.loads, ended.stdout.splitlines()) if row["check"] == "open files"]
    assert (found["level"], found["text"]) == ("warning", "a process may open 300 files, and needs up to 1,096")
    assert "LimitNOFILE=" in found["remedy"]
