"""Handshake messages that a TLS server of version 1.2 or older sends in clear, read before OpenSSL takes them.

One of them may cost us: OpenSSL calculates with Diffie-Hellman groups of up to 10,000 bits, which takes it a second, and
cannot be told a limit. So the group's size is read here first.
"""

from collections.abc import Iterator

#: A record is content type u8, version u16, length u16 (RFC 5246 §6.2.1), a message is type u8, length u24 (§7.4).
RECORD_HEADER, MESSAGE_HEADER = 5, 4
HANDSHAKE, SERVER_KEY_EXCHANGE = 22, 12
#: 4,096 bits, the longest that servers are known to have, take OpenSSL 40 ms.
GROUP_LIMIT = 512
#: A message on an elliptic curve begins with 3 and the curve's number, at most 255 (RFC 8422 §5.4), and looks like the
#: length of a prime of 6,144 bits, which is let pass: it takes 0.1 s.
NAMED_CURVE = 0x0300


class Flight:
    """A server's ciphertext, cut into records and messages as it comes."""

    __slots__ = ("_message", "_record")

    def __init__(self) -> None:
        self._record = bytearray()
        self._message = bytearray()

    def take(self, data: bytes) -> bool:
        """Take ciphertext; tell whether a Diffie-Hellman group that is too long has come with it."""
        self._record += data
        for payload in self._payloads():
            self._message += payload
        return any(number == SERVER_KEY_EXCHANGE and _too_long(body) for number, body in self._messages())

    def _payloads(self) -> Iterator[bytes]:
        """Cut whole records off what has come; give those of the handshake."""
        while len(self._record) >= RECORD_HEADER:
            end = RECORD_HEADER + int.from_bytes(self._record[3:RECORD_HEADER])
            if len(self._record) < end:
                return
            if self._record[0] == HANDSHAKE:
                yield bytes(self._record[RECORD_HEADER:end])
            del self._record[:end]

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        """Cut whole messages off their records."""
        while len(self._message) >= MESSAGE_HEADER:
            end = MESSAGE_HEADER + int.from_bytes(self._message[1:MESSAGE_HEADER])
            if len(self._message) < end:
                return
            yield self._message[0], bytes(self._message[MESSAGE_HEADER:end])
            del self._message[:end]


def _too_long(body: bytes) -> bool:
    """Whether a ServerKeyExchange begins with a prime longer than we calculate with (RFC 5246 §7.4.3)."""
    size = int.from_bytes(body[:2])
    return size > GROUP_LIMIT and size != NAMED_CURVE
