"""The engines: how a sender's SYNs leave, and what follows from it. One closed vocabulary, defined here and nowhere else.

A new engine is a row here and a file in `pipeline/rings` (`rings.open.OpenRings`), or, if it has no rings, a `ProbeEngine` that
`worker/sender.py` makes; and a row in `worker/engine_choice.py`, which says what it needs. Everything else asks the row:
configuration, plan and receipts hold the member itself.
"""

from enum import StrEnum


class Engine(StrEnum):
    """An engine, by the name that configurations, plans and receipts have."""

    explanation: str
    """What it does, in one sentence."""
    kind: str
    """Engines of one kind probe a host in the same way: two sweeps by them can be compared."""
    retransmits: int
    """How often the kernel by itself sends a SYN again that nobody answered."""
    extra_probes: bool
    """It can send a SYN without beginning a conversation: second SYNs, control SYNs, liveness checks."""
    opens: str
    """The module of `pipeline.rings` that opens its rings; empty if it has none."""

    def __new__(
        cls, value: str, explanation: str, kind: str, retransmits: int, extra_probes: bool, opens: str
    ) -> "Engine":
        """Make the member a string, with the columns of its row as attributes."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation, member.kind, member.retransmits = explanation, kind, retransmits
        member.extra_probes, member.opens = extra_probes, opens
        return member

    @property
    def automatic(self) -> bool:
        """It is left to each vantage which engine that is; a worker and its receipts never have this member."""
        return self is Engine.AUTO

    @property
    def raw(self) -> bool:
        """It sends and receives packets through rings of its own, as root: it sees what is on the wire."""
        return bool(self.opens)

    #       value, explanation,
    #       kind, retransmits, extra probes, opens
    AUTO = (
        "auto", "The fastest of the others that works at the vantage, which says which and why.",
        "auto", 0, True, "",
    )  # fmt: skip
    RING = (
        "ring", "Through packet rings (packet(7)), as root.",
        "ring", 0, True, "packet_ring",
    )  # fmt: skip
    XDP = (
        "xdp", "By AF_XDP, as root, which is faster; through packet rings where the machine has none.",
        "ring", 0, True, "xdp",
    )  # fmt: skip
    XDP_LIVE = (
        "xdp-live", "From inside the kernel, by live frames of BPF, as root, which is fastest; by AF_XDP where the machine refuses.",
        "ring", 0, True, "live_frames",
    )  # fmt: skip
    CONNECT = (
        "connect", "Through the kernel's TCP, without privilege: one connection per target.",
        "connect", 1, False, "",
    )  # fmt: skip
