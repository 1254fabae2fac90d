"""Check that received packets arrived as they were sent: checksums of IPv4 (RFC 791 §3.1), TCP (RFC 9293 §3.1), ICMP (RFC 792)."""

import numpy as np
from numpy.typing import NDArray

from pipeline.wire.packet import ICMP, TCP, halves, u2

IP_HEADER = 20
#: A sum of words that includes their checksum has this value when it is folded (RFC 1071 §1).
WHOLE = 0xFFFF


def intact(packets: NDArray[np.uint8], lengths: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which IPv4 packets without options are intact: rows of an even number of bytes, with the packets' true lengths; shape (n,).

    A packet that is longer than its row cannot be checked, and is not intact. One that is neither TCP nor ICMP is judged by its IP
    header alone.
    """
    total = np.minimum(u2(packets, 2), lengths)
    whole = total <= packets.shape[1]
    width = min(int(total.max(initial=IP_HEADER) + 1) & ~1, packets.shape[1])  # of the longest: most packets are short
    inside = np.arange(width, dtype=np.uint16) < total.astype(np.uint16)[:, None]
    words = (packets[:, :width] * inside).view(">u2").astype(np.uint32)
    header = _total(words[:, : IP_HEADER // 2])
    body = _total(words[:, IP_HEADER // 2 :])
    pseudo = _total(words[:, 6:10]) + np.uint32(TCP) + (total - IP_HEADER).astype(np.uint32)
    protocol = packets[:, 9]
    payload = np.where(protocol == TCP, _folded(body + pseudo), np.where(protocol == ICMP, _folded(body), WHOLE))
    right: NDArray[np.bool_] = (_folded(header) == WHOLE) & (payload == WHOLE) & whole & (total >= IP_HEADER)
    return right


def _total(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The sum of each row."""
    return np.asarray(np.einsum("ij->i", words), dtype=np.uint32)


def _folded(total: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return halves(halves(total))
