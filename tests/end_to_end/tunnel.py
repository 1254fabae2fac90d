"""A tunnel between two namespaces: a tun device in each, and this process, which passes packets on: `… VANTAGE-PID [FILE]`.

It runs in the world. The device of the vantage is `tun0`, and that of the world is `tun1`. With FILE both have Ethernet frames (tap),
and what is sent before the file exists is dropped.
"""

import fcntl
import os
import select
import struct
import sys
import time
from pathlib import Path

from pipeline.guard.namespaces import inside

TUNSETLINK = 0x400454CD
TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x1, 0x2, 0x1000  # linux/if_tun.h
LONGEST = 65535


def device(name: str, kind: int) -> int:
    """Open a tun or tap device of this namespace, and make it if it does not exist; its descriptor."""
    opened = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    return opened


def device_of_kind(name: str, kind: int) -> int:
    """Open a tun device whose link the kernel takes for one of a kind (linux/if_arp.h), e.g. PPP; its descriptor."""
    opened = device(name, IFF_TUN)
    fcntl.ioctl(opened, TUNSETLINK, kind)
    return opened


def main() -> None:
    """Pass packets on until killed."""
    kind = IFF_TAP if sys.argv[2:] else IFF_TUN
    far, near = inside(int(sys.argv[1]), lambda: device("tun0", kind)), device("tun1", kind)
    print("up", flush=True)
    while sys.argv[2:] and not Path(sys.argv[2]).exists():
        time.sleep(0.05)
    while sys.argv[2:] and select.select([far], [], [], 0)[0]:
        os.read(far, LONGEST)
    other = {far: near, near: far}
    while True:
        for ready in select.select([far, near], [], [])[0]:
            try:
                os.write(other[ready], os.read(ready, LONGEST))
            except OSError:
                continue  # the other device is not up


if __name__ == "__main__":
    main()
