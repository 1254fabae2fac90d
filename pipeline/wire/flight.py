"""Handshake messages that a TLS server of version 1.2 or older sends in clear, read before OpenSSL gets them.

One of them can be expensive: OpenSSL calculates with Diffie-Hellman groups of up to 10,000 bits, which takes a second,
and has no setting for a lower limit. So we read the group's size first.
"""

from collections.abc import Iterator

#: A record is content type u8, version u16, length u16 (RFC 5246 §6.2.1), a message is type u8, length u24 (§7.4).
RECORD_HEADER, MESSAGE_HEADER = 5, 4
HANDSHAKE, SERVER_KEY_EXCHANGE = 22, 12
#: Bytes of a group: 4,096 bits, the longest that servers are known to use, take OpenSSL 40 ms.
GROUP_LIMIT = 512
#: A message with an elliptic curve begins with 3 and the curve's number, up to 255 (RFC 8422 §5.4). That looks like the
#: length of a 6,144-bit prime, so such a prime is allowed; it takes 0.1 s.
NAMED_CURVE = 0x0300


class Flight:
    """A server's bytes, cut into records and messages as they arrive."""

    __slots__ = ("_payload", "_records")

    def __init__(self) -> None:
        self._records = bytearray()
        self._payload = bytearray()

    def take(self, data: bytes) -> bool:
        """Take bytes; return whether they contain a Diffie-Hellman group that is too long."""
        self._records += data
        for payload in self._payloads():
            self._payload += payload
        return any(type_ == SERVER_KEY_EXCHANGE and _too_long(body) for type_, body in self._messages())

    def _payloads(self) -> Iterator[bytes]:
        """Cut complete records off; yield the payloads of handshake records."""
        while len(self._records) >= RECORD_HEADER:
            end = RECORD_HEADER + int.from_bytes(self._records[3:RECORD_HEADER])
            if len(self._records) < end:
                return
            if self._records[0] == HANDSHAKE:
                yield bytes(self._records[RECORD_HEADER:end])
            del self._records[:end]

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        """Cut complete messages off the payloads; yield (type, body)."""
        while len(self._payload) >= MESSAGE_HEADER:
            end = MESSAGE_HEADER + int.from_bytes(self._payload[1:MESSAGE_HEADER])
            if len(self._payload) < end:
                return
            yield self._payload[0], bytes(self._payload[MESSAGE_HEADER:end])
            del self._payload[:end]


def _too_long(body: bytes) -> bool:
    """Whether a ServerKeyExchange begins with a prime that is too long (RFC 5246 §7.4.3)."""
    size = int.from_bytes(body[:2])
    return size > GROUP_LIMIT and size != NAMED_CURVE
