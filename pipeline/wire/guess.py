"""What a reply is, by its first bytes: DICOM, our own bytes, TLS or another protocol.

`opening` decides how the conversation goes on. `guess` only names a protocol, as a hint.
"""

import re
from collections.abc import Mapping
from enum import Enum

from pipeline.outcome import Outcome
from pipeline.wire.pdu import HEADER

#: How many bytes of our request must come back to count as reflected: type, length, version and reserved bytes. The AE
#: titles that follow are not among them: a mirror may change them.
REFLECTION = 10

#: (protocol, pattern of the reply's first bytes); the first row that matches gives the name.
RULES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        # A record: content type 20 to 23, version 3.0 to 3.4 (RFC 8446 §5.1).
        ("tls", rb"[\x14-\x17]\x03[\x00-\x04]"),
        # TPKT (RFC 1006 §6): 03 00, u16 length of at least 7, then X.224's header length and CC, DR, ER or DT.
        # An A-ASSOCIATE-RJ begins alike, but its u32 length of 4 makes that u16 zero.
        ("rdp", rb"\x03\x00(?:[\x01-\xff].|\x00[\x07-\xff]).[\xd0\x80\x70\xf0]"),
        ("http", rb"HTTP/\d"),
        ("rtsp", rb"RTSP/\d"),
        ("sip", rb"SIP/\d"),
        ("ssh", rb"SSH-\d"),
        ("smtp", rb"220[ -][^\r\n]*SMTP|554[ -][^\r\n]*SMTP"),
        ("ftp", rb"(?i:220[ -][^\r\n]*FTP|530[ -][^\r\n]*(?:FTP|login))|220-"),
        ("pop3", rb"\+OK|-ERR [^\r\n]*POP"),
        ("imap", rb"\* (?:OK|BYE|PREAUTH)"),
        ("redis", rb"-(?:ERR|NOAUTH|DENIED) "),
        ("vnc", rb"RFB \d{3}\.\d{3}"),
        # IAC and one of SB, WILL, WON'T, DO, DON'T (RFC 854).
        ("telnet", rb"\xff[\xfa-\xfe]"),
        # u24 length, sequence number 0, protocol 10 or error 255.
        ("mysql", rb"[^\x00-\x0f].\x00\x00[\x0a\xff]"),
        ("smb", rb"\x00.{3}[\xfe\xff]SMB"),
        ("html", rb"(?i:\s*<(?:!doctype html|html|head|\?xml))"),
        ("socks", rb"\x05[\x00-\x02\xff]\Z|\x00[\x5a-\x5d].{6}\Z"),
        ("text", rb"[\t\r\n\x1b -~]{4,}\Z"),
    )
)


def guess(data: bytes) -> str | None:
    """The protocol that a reply's first bytes look like; None if unknown."""
    return next((name for name, pattern in RULES if pattern.match(data)), None)


class Opening(Enum):
    """What a reply is, by its first bytes."""

    UNDECIDED = "may still become DICOM, TLS or our own bytes"
    DICOM = "begins with PDU type 02, 03 or 07"
    REFLECTED = "our own request"
    TLS = "a TLS record"
    OTHER = "anything else"


UNDECIDED, DICOM = Opening.UNDECIDED, Opening.DICOM

#: The outcome of a conversation whose first reply is certainly not DICOM; none of these peers is sent an A-ABORT.
NON_DICOM_OUTCOMES: Mapping[Opening, Outcome] = {
    Opening.REFLECTED: Outcome.REFLECTED,
    Opening.TLS: Outcome.TLS,
    Opening.OTHER: Outcome.NOT_DICOM,
}


def opening(data: bytes, request: bytes, *, complete: bool = False) -> Opening:
    """Judge a reply by its first bytes; `complete` means that no more will come."""
    if data[:1] in (b"\x02", b"\x07"):
        return DICOM
    if data[:1] == b"\x03":
        return _reject_or_tpkt(data, complete=complete)
    if request.startswith(data[:REFLECTION]):
        return _reflected(data, complete=complete)
    if guess(data) == "tls":
        return Opening.TLS
    may_be_tls = data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and data[1:] in (b"", b"\x03")
    return UNDECIDED if may_be_tls and not complete else Opening.OTHER


def _reject_or_tpkt(data: bytes, *, complete: bool) -> Opening:
    """Distinguish an A-ASSOCIATE-RJ from the TPKT of a remote desktop; both begin with 03 00."""
    if len(data) < HEADER and not complete:
        return UNDECIDED
    return DICOM if guess(data) is None else Opening.OTHER


def _reflected(data: bytes, *, complete: bool) -> Opening:
    """Judge a reply that begins like our request."""
    if len(data) >= REFLECTION:
        return Opening.REFLECTED
    if not complete:
        return UNDECIDED
    return Opening.REFLECTED if len(data) >= HEADER else Opening.OTHER
