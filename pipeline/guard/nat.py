"""Network address translation between the vantage and the Internet: whether there is one, and how many connections it must remember.

A NAT, like every stateful firewall, keeps an entry for each SYN until it times out. When its table is full it drops what is new, and
hosts that lie behind it look absent.
"""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

#: Addresses that no host of the Internet sees: private (RFC 1918), shared by carriers (RFC 6598), link-local (RFC 3927).
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")))
#: Seconds for which Linux keeps the entry of a SYN that nobody answers (nf_conntrack_tcp_timeout_syn_sent). Other NATs choose others:
#: RFC 5382 sets a minimum for established connections alone.
ENTRY_SECONDS = 120
CONNTRACK_MAX = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def is_private(address: str) -> bool:
    """Tell whether only a NAT can make a dotted address reach the Internet."""
    return any(IPv4Address(address) in network for network in PRIVATE)


def entries(rate: float, probes: int) -> int:
    """Return how many entries `rate` probes a second need at once, of `probes` in all."""
    return min(probes, round(rate * ENTRY_SECONDS))


def highest_rate(capacity: int) -> int:
    """Return the probes a second at which a table of this capacity does not fill."""
    return max(1, capacity // ENTRY_SECONDS)


def capacity() -> int | None:
    """Return how many connections this machine remembers (nf_conntrack_max); None if it remembers none."""
    try:
        return int(CONNTRACK_MAX.read_text())
    except (OSError, ValueError):
        return None
