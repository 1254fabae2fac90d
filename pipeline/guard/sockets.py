"""The guard below all senders: every socket that leaves this program is made here, or not at all.

Data-plane sockets are made in the network namespace of the vantage (`at_vantage`), and what is asked of the network for them
is asked there. The process that makes them stays where it is: its lake, its channels and its server may be elsewhere.
"""

import fcntl
import os
import socket
import struct
from collections.abc import Sequence

from pipeline.bpf import kernel
from pipeline.bpf.kernel import Descriptor, MapType
from pipeline.config.sections import IdentitySection
from pipeline.errors import CensusError, GuardError
from pipeline.guard import forbidden
from pipeline.guard.namespaces import IFF_LOOPBACK
from pipeline.guard.proof import why_not_closed
from pipeline.guard.vantage_namespace import VANTAGE as VANTAGE
from pipeline.guard.vantage_namespace import at_vantage as at_vantage

#: Set to anything: refuse every packet outside of a closed testbed and loopback, whatever the configuration says.
ONLY_TESTBED = "CENSUS_ONLY_TESTBED"
SIOCGIFFLAGS = 0x8913  # netdevice(7)
AF_XDP = 44  # linux/socket.h; Python knows no name for it
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): one port serves connections to many destinations
#: First byte of every loopback address (RFC 6890 §2.2.2: 127.0.0.0/8).
LOOPBACK = 127
#: The identity without which nothing is sent to anyone. The AE title has a default, so it is only missed with another.
REQUIRED_IDENTITY = ("contact", "url", "authorised_by")

#: What to do where the packet engines may not do what they must.
NO_PRIVILEGE = (
    "the packet engines need the capabilities CAP_NET_ADMIN (nftables) and CAP_NET_RAW (packet sockets), and this process lacks them. "
    "Run it as root; or give an ordinary user both as ambient capabilities (AmbientCapabilities= in a systemd unit, or "
    "`setpriv --inh-caps=+net_admin,+net_raw --ambient-caps=+net_admin,+net_raw`); or give them to the Python program by setcap(8); "
    'or set engine = "connect" in [probe], which needs none'
)


def in_closed_testbed() -> bool:
    """Tell whether the network namespace of the vantage is part of a testbed that is closed right now."""
    return not why_open()


def why_open() -> tuple[str, ...]:
    """Return why the network namespace of the vantage is in no closed testbed."""
    return at_vantage(why_not_closed)


def require_authorised(identity: IdentitySection) -> None:
    """Raise GuardError unless this process may send: into a closed testbed, or with a full identity."""
    reasons = at_vantage(why_not_closed)
    if not reasons:
        return
    if os.environ.get(ONLY_TESTBED):
        raise GuardError(_refusal("sending", reasons))
    if missing := missing_identity(identity):
        raise GuardError(
            f"[identity] lacks {', '.join(missing)}: outside of a testbed, nothing is sent unless the section names who measures, "
            "a page that scanned networks can read, and who authorised it; fill them in, or use `census testbed run`"
        )


def missing_identity(identity: IdentitySection) -> list[str]:
    """The keys without which nothing is sent outside of a testbed, and that an identity lacks."""
    missing = [key for key in REQUIRED_IDENTITY if not getattr(identity, key)]
    if missing and identity.ae_title == IdentitySection().ae_title:
        missing.insert(0, "ae_title")
    return missing


def packet_socket(interface: str, protocol: int) -> socket.socket:
    """Make a raw packet socket bound to an interface of the vantage."""
    return at_vantage(lambda: _packet_socket(interface, protocol))


def _packet_socket(interface: str, protocol: int) -> socket.socket:
    if not _is_loopback_link(interface):
        refuse_outside(f"a packet socket on {interface}")
    try:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        raise CensusError(NO_PRIVILEGE) from None
    try:
        made.bind((interface, protocol))
    except OSError as error:
        made.close()
        raise CensusError(
            f"cannot open a packet socket on {interface}: {error.strerror}; `ip link` lists the interfaces"
        ) from None
    return made


def unbound(family: int) -> socket.socket:
    """Make a raw socket at the vantage that is bound to nothing, so that nothing can leave by it. Raises OSError."""
    return at_vantage(lambda: socket.socket(family, socket.SOCK_RAW, 0))


def xdp_socket(interface: str) -> socket.socket:
    """Make an AF_XDP socket that is meant for an interface of the vantage; binding it is the caller's. Raises OSError."""
    return at_vantage(lambda: _xdp_socket(interface))


def _xdp_socket(interface: str) -> socket.socket:
    if not _is_loopback_link(interface):
        refuse_outside(f"an AF_XDP socket on {interface}")
    return socket.socket(AF_XDP, socket.SOCK_RAW, 0)


def device_map(interface: str) -> Descriptor:
    """Make the map of a BPF program that has an interface of the vantage as its only device, to redirect frames to. Raises OSError."""
    return at_vantage(lambda: _device_map(interface))


def _device_map(interface: str) -> Descriptor:
    if not _is_loopback_link(interface):
        refuse_outside(f"redirecting frames to {interface}")
    made = kernel.create_map(MapType.DEVMAP, value=4)
    kernel.update(made, 0, struct.pack("=I", socket.if_nametoindex(interface)))
    return made


def tcp_socket(destination: str, *, source: str = "", interface: str = "") -> socket.socket:
    """Make a non-blocking TCP socket that is meant for this destination; connecting it is the caller's.

    It leaves from a source address and through an interface, where they are given; its port is chosen when it connects.
    """
    return at_vantage(lambda: _tcp_socket(destination, source, interface))


def _tcp_socket(destination: str, source: str, interface: str) -> socket.socket:
    if not _is_loopback(destination):
        refuse_outside(f"a TCP socket to {destination}")
        forbidden.refuse_dotted(destination)
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        if interface:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        if source:
            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            made.bind((source, 0))
    except OSError as error:
        made.close()
        raise CensusError(
            f"cannot open a TCP socket from {source or 'any address'} on {interface or 'any interface'}: {error.strerror}"
        ) from None
    return made


def _is_loopback_link(interface: str) -> bool:
    """Tell whether an interface is the loopback link, by the kernel's word: any link may be named `lo`."""
    if interface != "lo":
        return False
    request = struct.pack("16sH14x", interface.encode(), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            answer = fcntl.ioctl(control, SIOCGIFFLAGS, request)
        except OSError:
            return False
    flags: int = struct.unpack("16sH14x", answer)[1]
    return bool(flags & IFF_LOOPBACK)


def require_reach(host: str, what: str) -> None:
    """Raise GuardError unless this process may send something other than a probe to this host (a name, or an address).

    It leaves from where the process itself stands, whatever the vantage is.
    """
    if host != "localhost" and not _is_loopback(host):
        refuse_outside(f"{what} to {host}")


def only_testbed() -> bool:
    """Tell whether nothing may leave loopback and closed testbeds."""
    return bool(os.environ.get(ONLY_TESTBED))


def _is_loopback(destination: str) -> bool:
    try:
        return socket.inet_pton(socket.AF_INET, destination)[0] == LOOPBACK
    except OSError:
        return False


def refuse_outside(what: str) -> None:
    """Raise GuardError if only testbeds are allowed and this thread's namespace is in none; `what` would be sent."""
    if not os.environ.get(ONLY_TESTBED):
        return
    reasons = why_not_closed()
    if reasons:
        raise GuardError(_refusal(what, reasons))


def _refusal(what: str, reasons: Sequence[str]) -> str:
    return (
        f"{what} is refused: {ONLY_TESTBED} is set and this is not a closed testbed ({'; '.join(reasons)}); "
        f"run the command by `census testbed run -- …`, or unset {ONLY_TESTBED} if it may send to others"
    )
