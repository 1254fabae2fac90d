"""Too little memory for a process that runs: by a cgroup, whose kernel kills it, or else by a limit, beyond which it gets none."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where memory is limited, and the file of the limit: version 1 of cgroups, and version 2 (cgroups(7)).
HIERARCHIES = {Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes", Path("/sys/fs/cgroup"): "memory.max"}


@contextmanager
def starved(pid: int, beyond: int) -> Iterator[str]:
    """Let a process take so many bytes more, roughly, until it has ended and the block with it; yield by which means."""
    group = _group(pid, beyond)
    if group is None:
        has = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (has + beyond, has + beyond))
    try:
        yield "cgroup" if group else "limit"
    finally:
        if group:
            group.rmdir()


def _group(pid: int, most: int) -> Path | None:
    """A group of this process alone, whose new memory is limited; None where none can be made."""
    for folder, limit in HIERARCHIES.items():
        group = folder / f"census-chaos-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(most))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            group.rmdir()
            continue
        return group
    return None
