"""Questions to the kernel about links, addresses, routes and neighbours, over a netlink socket (rtnetlink(7)). It sends no packet.

A message has a header of its own (`Topic`) and attributes, which are numbered bytes. Where they are used, they have the names of
the kernel's header files. No library is needed for that: the usual one takes 0.4 s of CPU to import, in each process of a sweep.
"""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12  # linux/netlink.h, and so is what follows
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x4, 0x10, 0x300
NLM_F_REPLACE, NLM_F_CREATE = 0x100, 0x400
#: The upper bits of an attribute's number are flags.
NLA_TYPE_MASK = 0x3FFF
#: Length, type, flags, number and port of a message; length and number of an attribute.
MESSAGE, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")
#: No answer is longer: the kernel makes those of a list no longer than 32 KiB.
ANSWER_BYTES = 1 << 18
#: A list that changed while the kernel wrote it is asked for again, so often at most.
LISTS = 10


class Topic(Enum):
    """What is asked about: the number of its message RTM_NEW…, and the fields of its header."""

    LINK = (16, "=BxHiII")  # family, type, index, flags, change
    ADDRESS = (20, "=BBBBI")  # family, length of the prefix, flags, scope, index
    ROUTE = (24, "=8BI")  # family, lengths of destination and source, TOS, table, protocol, scope, type, flags
    NEIGHBOUR = (28, "=B3xiHBB")  # family, index, state, flags, type
    NAMESPACE = (88, "=B3x")  # family


class NetlinkError(OSError):
    """The kernel refuses a request."""


@dataclass(frozen=True, slots=True)
class Row:
    """One of the things asked about: the fields of its header, and its attributes by number."""

    header: tuple[int, ...]
    attributes: Mapping[int, bytes]

    def number(self, attribute: int) -> int | None:
        """An attribute that is an integer; None if it is not there."""
        return integer(self.attributes.get(attribute))

    def text(self, attribute: int) -> str:
        """An attribute that is text; empty if it is not there."""
        return self.attributes.get(attribute, b"").rstrip(b"\0").decode("utf-8", "surrogateescape")

    def address(self, attribute: int) -> str:
        """An IPv4 address, dotted; empty if it is not there."""
        data = self.attributes.get(attribute, b"")
        return socket.inet_ntoa(data) if len(data) == 4 else ""

    def mac(self, attribute: int) -> str:
        """A hardware address; empty if it is not there."""
        return self.attributes.get(attribute, b"").hex(":")

    def nested(self, attribute: int) -> "Row":
        """The attributes within an attribute; none if it is not there."""
        return Row((), attributes(self.attributes.get(attribute, b"")))


class Netlink:
    """An open netlink socket, which stays in the network namespace where it was opened."""

    def __init__(self) -> None:
        """Open it. Raises OSError."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        # So the kernel refuses what it does not understand, and lists only what is asked for.
        self._socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self._number = 0

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def get(self, topic: Topic, header: tuple[int, ...], given: Mapping[int, bytes] | None = None) -> Row:
        """The one thing that a header and attributes name. Raises NetlinkError."""
        (row,) = self._request(topic, topic.value[0] + 2, NLM_F_ACK, header, given or {})
        return row

    def rows(self, topic: Topic, header: tuple[int, ...]) -> list[Row]:
        """All things of a kind that a header selects. Raises NetlinkError."""
        for _ in range(LISTS):
            try:
                return self._request(topic, topic.value[0] + 2, NLM_F_DUMP, header, {})
            except InterruptedError:
                continue
        raise NetlinkError(errno.EAGAIN, f"the kernel's list changed {LISTS} times while it was read")

    def replace(self, topic: Topic, header: tuple[int, ...], given: Mapping[int, bytes]) -> None:
        """Make a thing, or change the one that there is. Raises NetlinkError."""
        self._request(topic, topic.value[0], NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header, given)

    def _request(
        self, topic: Topic, verb: int, flags: int, header: tuple[int, ...], given: Mapping[int, bytes]
    ) -> list[Row]:
        """The rows of the answer, up to its end. Raises InterruptedError for a list that changed meanwhile."""
        layout = struct.Struct(topic.value[1])
        body = layout.pack(*header) + b"".join(map(_attribute, given.items()))
        self._number += 1
        size = MESSAGE.size + len(body)
        self._socket.send(MESSAGE.pack(size, verb, NLM_F_REQUEST | flags, self._number, 0) + body)
        rows, interrupted = [], False
        for kind, marks, data in self._answer():
            interrupted |= bool(marks & NLM_F_DUMP_INTR)
            if kind in (NLMSG_ERROR, NLMSG_DONE):
                if code := struct.unpack_from("=i", data)[0]:
                    raise NetlinkError(-code, os.strerror(-code))
                break
            rows.append(Row(layout.unpack_from(data), attributes(data[_aligned(layout.size) :])))
        if interrupted:
            raise InterruptedError
        return rows

    def _answer(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield type, flags and content of each message that answers the last request."""
        while True:
            data, (sender, _) = self._socket.recvfrom(ANSWER_BYTES)
            if sender:  # a process, not the kernel
                continue
            while data:
                size, kind, marks, number, _ = MESSAGE.unpack_from(data)
                if number == self._number:
                    yield kind, marks, data[MESSAGE.size : size]
                data = data[_aligned(size) :]


@contextmanager
def opened() -> Iterator[Netlink]:
    """Open a netlink socket in this thread's network namespace."""
    netlink = Netlink()
    try:
        yield netlink
    finally:
        netlink.close()


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a piece of a message, by number; what is cut off is left out."""
    values = {}
    while len(data) >= ATTRIBUTE.size:
        size, number = ATTRIBUTE.unpack_from(data)
        if not ATTRIBUTE.size <= size <= len(data):
            break
        values[number & NLA_TYPE_MASK] = data[ATTRIBUTE.size : size]
        data = data[_aligned(size) :]
    return values


def integer(data: bytes | None) -> int | None:
    """An unsigned integer in this machine's byte order."""
    return None if data is None else int.from_bytes(data, sys.byteorder)


def packed(number: int) -> bytes:
    """An unsigned integer of 32 bits as an attribute."""
    return number.to_bytes(4, sys.byteorder)


def _attribute(numbered: tuple[int, bytes]) -> bytes:
    number, data = numbered
    size = ATTRIBUTE.size + len(data)
    return (ATTRIBUTE.pack(size, number) + data).ljust(_aligned(size), b"\0")


def _aligned(size: int) -> int:
    """Where the next message or attribute begins."""
    return size + 3 & ~3
