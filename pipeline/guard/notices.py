"""What the kernel announces of changes at the vantage (netlink(7)): of nftables, addresses, routes. Nothing is sent."""

import errno
import select
import socket
from contextlib import suppress

from pipeline.guard import sockets

#: Bytes to read of a notice, whose content does not matter.
NOTICE = 65536


class Notices:
    """Says whether the kernel has announced anything to some groups, for the price of one system call."""

    def __init__(self, family: int, groups: int) -> None:
        """Listen from now on to the groups of a netlink family. Raises OSError."""
        self._socket = sockets.at_vantage(
            lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, family)
        )
        try:
            self._socket.bind((0, groups))
        except OSError:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def any(self) -> bool:
        """Whether there was a notice since the last call; it may be of our own change."""
        if not self._poll.poll(0):
            return False
        with suppress(BlockingIOError):
            while True:
                self._take()
        return True

    def _take(self) -> None:
        """Take the next notice. Raises BlockingIOError if there is none."""
        try:
            self._socket.recv(NOTICE)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # more notices than the socket has room for
                raise

    def close(self) -> None:
        """Stop to listen."""
        self._socket.close()
