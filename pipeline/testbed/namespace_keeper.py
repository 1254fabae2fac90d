"""The process that makes and keeps one empty network namespace: `python -m pipeline.testbed.namespace_keeper`.

It sets the switches that close the namespace before any link exists in it, prints `ready`, and ends with its parent.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000  # linux/sched.h
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # linux/mount.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h

#: Required where the kernel has them: no forwarding, no IPv6, so no unsolicited packets.
REQUIRED = {
    "ipv4/ip_forward": "0",
    "ipv6/conf/all/forwarding": "0",
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
}
#: Optional: they let the world answer as fast as it is probed; without them the testbed is slower.
OPTIONAL = {
    "ipv4/conf/all/rp_filter": "2",
    "ipv4/conf/default/rp_filter": "2",
    "ipv4/icmp_ratelimit": "0",
    "ipv4/tcp_syncookies": "0",
    "ipv4/tcp_max_syn_backlog": "65536",
    "core/somaxconn": "65535",
    "netfilter/nf_conntrack_tcp_be_liberal": "1",
}


def main() -> None:
    """Make the namespaces, close them, and wait to be killed."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    _require(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "die with the parent")
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    _require(libc.unshare(CLONE_NEWNET | CLONE_NEWNS), "make a network namespace")
    _require(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "keep mounts private")
    libc.mount(
        b"sysfs", b"/sys", b"sysfs", 0, None
    )  # so that /sys/class/net shows this namespace; if this fails, it shows none
    for switch, value in (REQUIRED | OPTIONAL).items():
        _write(Path("/proc/sys/net", switch), value, required=switch in REQUIRED)
    print("ready", flush=True)
    while True:
        signal.pause()


def _write(path: Path, value: str, *, required: bool) -> None:
    try:
        path.write_text(value)
    except FileNotFoundError:
        return
    except OSError as error:
        if required:
            sys.exit(f"cannot set {path} to {value}: {error.strerror}")


def _require(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"cannot {what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
