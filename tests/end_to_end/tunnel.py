"""A tunnel between two namespaces: a tun device in each, and this process, which passes packets on: `… VANTAGE-PID`.

It runs in the world. The device of the vantage is `tun0`, and that of the world is `tun1`.
"""

import fcntl
import os
import select
import struct
import sys

from pipeline.guard.namespaces import inside

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000  # linux/if_tun.h
LONGEST = 65535


def device(name: str) -> int:
    """Open a tun device of this namespace, and make it if it does not exist; its descriptor."""
    opened = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return opened


def main() -> None:
    """Pass packets on until killed."""
    far, near = inside(int(sys.argv[1]), lambda: device("tun0")), device("tun1")
    print("up", flush=True)
    other = {far: near, near: far}
    while True:
        for ready in select.select([far, near], [], [])[0]:
            try:
                os.write(other[ready], os.read(ready, LONGEST))
            except OSError:
                continue  # the other device is not up


if __name__ == "__main__":
    main()
