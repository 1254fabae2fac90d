"""Limits of processes and threads, as service managers, containers and shells set them."""

import subprocess
import sys
from pathlib import Path

from pipeline.worker import task_limit
from pipeline.worker.task_limit import control_groups

MOUNTS = """\
23 1 8:1 / / rw,relatime - ext4 /dev/root rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate
39 23 0:36 /docker/7f /v1/pids rw,relatime - cgroup cgroup rw,pids
40 23 0:37 / /v1/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
"""


def test_a_unit_of_systemd() -> None:
    """The limits of a unit and of all slices above it count (cgroups(7), version 2)."""
    folders = [str(path) for path in control_groups("0::/system.slice/census.service\n", MOUNTS)]
    assert folders == [
        "/sys/fs/cgroup/system.slice/census.service",
        "/sys/fs/cgroup/system.slice",
        "/sys/fs/cgroup",
    ]


def test_a_container_of_version_1() -> None:
    """Of version 1 only the hierarchy that counts tasks matters, and a container sees it from its own folder on."""
    own = "8:pids:/docker/7f/inner\n4:cpu,cpuacct:/docker/7f\n"
    assert [str(path) for path in control_groups(own, MOUNTS)] == ["/v1/pids/inner", "/v1/pids"]


def test_a_group_that_is_not_mounted_here() -> None:
    """A control group outside what is mounted, as after a change of root, limits what nobody here can read."""
    assert list(control_groups("8:pids:/elsewhere\n", MOUNTS)) == []


def test_this_machine() -> None:
    """Every control group that counts our tasks, if it is not a root, has a limit or the word max."""
    own, mounts = (Path("/proc/self", name).read_text() for name in ("cgroup", "mountinfo"))
    limits = [folder / "pids.max" for folder in control_groups(own, mounts)]
    assert all(path.read_text().strip().isdigit() or path.read_text() == "max\n" for path in limits if path.exists())
    lowest = task_limit.lowest()
    assert lowest is None or 0 < lowest.used <= lowest.most


def limited(left: int, statement: str) -> str:
    """What a statement prints as an ordinary user who may have this many tasks more than they have."""
    program = f"""
import os, resource
from pipeline.errors import CensusError
from pipeline.worker import task_limit  # before the user changes: our home is not theirs
os.setuid(54321)
most = len(os.listdir("/proc/self/task")) + {left}
resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
try:
    print({statement})
except CensusError as error:
    print(error)
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_an_ordinary_user() -> None:
    """A shell's limit counts all tasks of its user, threads too."""
    assert limited(40, "task_limit.lowest().left") == "40"


def test_a_worker_that_could_not_start() -> None:
    """Fewer tasks than a worker's processes may have are one error before any of them starts, with the remedy."""
    assert limited(16, "task_limit.require_enough(None)") == "None"
    refused = limited(15, "task_limit.require_enough(None)")
    assert refused.startswith("15 more processes and threads may start here, of ") and "needs up to 16;" in refused
    assert "`ulimit -u`" in refused


def test_a_worker_ends_before_nothing_can_start() -> None:
    """When as good as all tasks run that may, the error says to resume; until then a worker goes on."""
    assert limited(6, "task_limit.require_spare()") == "None"
    refused = limited(5, "task_limit.require_spare()")
    assert "processes and threads run that may;" in refused and refused.endswith("--resume")
