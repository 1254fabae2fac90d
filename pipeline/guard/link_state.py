"""What the kernel says of an interface: up, carrier, kind of frames, MTU, offloads. Nothing here sends a packet.

It is asked by ioctl(2) (netdevice(7)), which costs a microsecond: senders ask before each batch.
"""

import array
import errno
import fcntl
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.errors import CensusError, InputError
from pipeline.guard import sockets

SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR, SIOCETHTOOL = 0x8913, 0x8921, 0x8927, 0x8946  # linux/sockios.h
IFF_UP, IFF_RUNNING = 0x1, 0x40  # linux/if.h
IFREQ = "16s24x"
#: Kinds of links by what their frames begin with (linux/if_arp.h): an Ethernet header, or the IP header itself.
WITH_ETHERNET = frozenset({1, 772})  # ARPHRD_ETHER, ARPHRD_LOOPBACK
BARE_IP = frozenset({512, 519, 768, 776, 778, 0xFFFE})  # PPP, RAWIP, TUNNEL, SIT, IPGRE, NONE (tun, WireGuard)
#: Offloads that change what a packet socket sees, with ethtool's commands and flags (linux/ethtool.h).
GET_GRO, GET_TSO, GET_FLAGS = 0x2B, 0x1E, 0x25
LRO_FLAG, VLAN_FLAG = 1 << 15, 1 << 8
#: Bytes of IPv4 and TCP headers without options, which an MSS leaves out (RFC 9293 §3.7.1, RFC 6691 §2).
HEADERS = 40
#: What an Ethernet frame carries at most without jumbo frames: no ring of ours has room for longer packets.
MOST_MTU = 1500
LEAST_MTU = 68  # RFC 791 §3.2
#: The column of /proc/net/dev, counted from 0, that has the frames sent.
SENT_PACKETS = 9


class Framing(StrEnum):
    """What the frames of a link begin with."""

    ETHERNET = "ethernet"
    BARE_IP = "ip"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LinkState:
    """An interface now. `carrier` is that it can pass packets on: cable, other end, or the process behind a tunnel."""

    name: str
    up: bool
    carrier: bool
    framing: Framing
    mtu: int
    mac: bytes = b""
    """Its own hardware address; empty where frames have none."""

    @property
    def trouble(self) -> str:
        """Why nothing can leave; empty if it can."""
        return _trouble(self.name, up=self.up, carrier=self.carrier)

    @property
    def mss(self) -> int:
        """The MSS that a SYN may announce here, in bytes: every segment of that size fits the MTU."""
        return mss(self.mtu)


@dataclass(frozen=True, slots=True)
class Offloads:
    """Which work of a packet's way an interface takes off the kernel; None where it does not say."""

    gro: bool | None
    lro: bool | None
    tso: bool | None
    vlan: bool | None
    """A VLAN tag is taken out of received frames."""


class LinkWatch:
    """Asks for the state of one interface of the vantage again and again."""

    def __init__(self, interface: str) -> None:
        """Raises InputError if there is no such interface."""
        self.name = interface
        self._socket = sockets.at_vantage(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            self.state()
        except CensusError:
            self.close()
            raise InputError(
                "[probe] interface", f"there is no interface {interface!r} here; `ip link` lists the interfaces"
            ) from None

    def state(self) -> LinkState:
        """The interface now. Raises CensusError if it is gone."""
        flags, (kind, mac), (mtu,) = self._flags(), self._read(SIOCGIFHWADDR, "H6s"), self._read(SIOCGIFMTU, "i")
        framing = Framing.ETHERNET if kind in WITH_ETHERNET else Framing.BARE_IP if kind in BARE_IP else Framing.OTHER
        own = mac if framing is Framing.ETHERNET else b""
        return LinkState(self.name, bool(flags & IFF_UP), bool(flags & IFF_RUNNING), framing, mtu, own)

    def trouble(self) -> str:
        """Why nothing can leave now; empty if it can. Raises CensusError if the interface is gone."""
        flags = self._flags()
        return _trouble(self.name, up=bool(flags & IFF_UP), carrier=bool(flags & IFF_RUNNING))

    def offloads(self) -> Offloads:
        """Its offloads."""
        flags = self._ethtool(GET_FLAGS)
        gro, tso = self._ethtool(GET_GRO), self._ethtool(GET_TSO)
        return Offloads(
            gro=None if gro is None else bool(gro),
            lro=None if flags is None else bool(flags & LRO_FLAG),
            tso=None if tso is None else bool(tso),
            vlan=None if flags is None else bool(flags & VLAN_FLAG),
        )

    def close(self) -> None:
        """End the watch."""
        self._socket.close()

    def _flags(self) -> int:
        return int(self._read(SIOCGIFFLAGS, "H")[0])

    def _read(self, request: int, form: str) -> tuple[Any, ...]:
        """The part of a struct ifreq that an ioctl fills, behind the interface's name."""
        try:
            answer = fcntl.ioctl(self._socket, request, struct.pack(IFREQ, self.name.encode()))
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            raise CensusError(f"interface {self.name} is gone; when it is back, run again with --resume") from None
        return struct.unpack_from(form, answer, 16)

    def _ethtool(self, command: int) -> int | None:
        """The value that a command of ethtool reads; None if the driver does not know it."""
        value = array.array("I", [command, 0])  # struct ethtool_value
        request = struct.pack("16sP16x", self.name.encode(), value.buffer_info()[0])
        try:
            fcntl.ioctl(self._socket, SIOCETHTOOL, request)
        except OSError:
            return None
        return value[1]


class FrameCounter:
    """Reads how many frames an interface of the vantage has sent, as its driver counts them (proc_net_dev(5))."""

    def __init__(self, interface: str) -> None:
        self.name = interface
        self._file = sockets.at_vantage(lambda: Path("/proc/thread-self/net/dev").open("rb", buffering=0))  # noqa: SIM115

    def sent(self) -> int:
        """The frames sent so far; 0 if the interface is gone."""
        self._file.seek(0)
        rows = (line.partition(b":") for line in self._file.readall().splitlines())
        return next((int(row[2].split()[SENT_PACKETS]) for row in rows if row[0].strip() == self.name.encode()), 0)

    def close(self) -> None:
        """End the reading."""
        self._file.close()


def link_state(interface: str) -> LinkState:
    """An interface of the vantage now. Raises InputError if there is none of this name."""
    watch = LinkWatch(interface)
    try:
        return watch.state()
    finally:
        watch.close()


def offloads(interface: str) -> Offloads:
    """The offloads of an interface of the vantage. Raises InputError if there is none of this name."""
    watch = LinkWatch(interface)
    try:
        return watch.offloads()
    finally:
        watch.close()


def mss(mtu: int) -> int:
    """The MSS of an MTU, in bytes: at most that of an Ethernet without jumbo frames."""
    return max(LEAST_MTU, min(mtu, MOST_MTU)) - HEADERS


def _trouble(name: str, *, up: bool, carrier: bool) -> str:
    if not up:
        return f"interface {name} is down"
    return "" if carrier else f"interface {name} has no carrier"
